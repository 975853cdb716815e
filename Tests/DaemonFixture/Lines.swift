import DaemonKit
import Foundation
import Synchronization

/// Connections that stay open from one process to the next, and a count of what was asked on them.
///
/// Each word is answered with the process that answers, and its number.
enum Lines {
    private static let store = ChildReference<DescriptorStore>()
    private static let count = Atomic(0)

    /// Takes back what the last process has left, and goes on with it.
    static let switchboard = ChildSpec(
        "switchboard",
        publishing: store,
        shutdown: .graceful(.seconds(5))
    ) { child in
        let store = child.daemon.store
        let kept = try store.kept("count").map { String(decoding: $0, as: UTF8.self) }
        count.store(kept.flatMap(Int.init) ?? 0, ordering: .relaxed)
        let lines = store.takeConnections(named: "line")
        child.started(store)
        await withDiscardingTaskGroup { group in
            for line in lines {
                group.addTask {
                    _ = try? await answer(line) { stop in
                        Task {
                            await child.shutdownRequested()
                            stop()
                        }
                    }
                }
            }
        }
        await child.shutdownRequested()
        try store.keep(Array("\(count.load(ordering: .relaxed))".utf8), as: "count")
    }

    /// Where new lines come in; when it drains the manager gets those that are open.
    static let listener = Listener("lines", fallback: .port(7778)) { line in
        let store = try await store.value
        if try await answer(line, onStop: line.onDrain) { try store.put(line, named: "line") }
    }

    /// Answers until the line ends, or until it is told to stop.
    ///
    /// - Returns: Whether the line is still open.
    private static func answer(
        _ line: Connection,
        onStop: (@escaping @Sendable () -> Void) -> Void
    ) async throws -> Bool {
        while true {
            // Cancelled alone, so that what has been read is answered.
            let reading = Task { try await line.read() }
            onStop { reading.cancel() }
            let bytes: [UInt8]
            do { bytes = try await reading.value } catch is CancellationError { return true }
            guard !bytes.isEmpty else { return false }
            let number = count.add(1, ordering: .relaxed).newValue
            try await line.write("\(getpid()) \(number)\n")
        }
    }
}
