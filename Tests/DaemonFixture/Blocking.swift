import DaemonKit
import Foundation
import Synchronization

/// A tree with a child that blocks every thread of the cooperative pool, when its mode says.
enum Blocking {
    /// When it does.
    enum Mode: String {
        /// Before it has started.
        case starting = "blocked-while-starting"
        /// When all have started.
        case running = "blocked-while-running"
        /// When it is told to stop.
        case stopping = "blocked-while-stopping"
        /// When all have started, with all the time there is for its stop.
        case patiently = "blocked-patiently"
    }

    /// What a stop is given beyond its limit: so long that a busy machine does not look like a blocked pool.
    static let margin = Duration.seconds(2)

    private static let blocked = Atomic(0)

    static func tree(_ mode: Mode) -> Supervisor {
        let limit = Shutdown.timeout(mode == .patiently ? .seconds(3600) : .milliseconds(500))
        let (isStarted, started) = AsyncStream.makeStream(of: Void.self)
        return Supervisor {
            ChildSpec("first", shutdown: limit) { child in
                child.started()
                await child.shutdownRequested()
            }
            Supervisor("inner") {
                ChildSpec("blocker", shutdown: limit) { child in
                    if mode == .starting { await block() }
                    child.started()
                    for await _ in isStarted {}
                    if mode != .stopping { await block() }
                    say("up")
                    await child.shutdownRequested()
                    if mode == .stopping { await block() }
                }
            }
            ChildSpec("last", shutdown: limit) { child in
                child.started()
                started.finish()
                await child.shutdownRequested()
            }
        }
    }

    /// Blocks every thread until standard input has come to its end: the pool has some for each priority.
    private static func block() async {
        let priorities = [TaskPriority.high, .medium]
        let all = priorities.count * ProcessInfo.processInfo.activeProcessorCount
        let tasks = (0..<256).flatMap { _ in
            priorities.map { priority in
                Task.detached(priority: priority) {
                    if blocked.add(1, ordering: .relaxed).newValue == all { say("blocked") }
                    var byte: UInt8 = 0
                    while read(STDIN_FILENO, &byte, 1) > 0 {}
                }
            }
        }
        for task in tasks { await task.value }
    }

    private static func say(_ line: String) {
        FileHandle.standardError.write(Data("\(line)\n".utf8))
    }
}
