import DaemonKit
import Foundation
import Synchronization

/// What says that something is short, and makes it so.
enum Pressure {
    private static let isOver = Atomic(false)

    static let memory = PressureWatcher(on: .memory) { say($0) }

    static let cpu = PressureWatcher(on: .cpu) { event in
        isOver.store(true, ordering: .relaxed)
        say(event)
    }

    /// Has more threads compute than there are processors, until somebody notices.
    static func rise() {
        for _ in 0...2 * ProcessInfo.processInfo.activeProcessorCount {
            Thread.detachNewThread {
                while !isOver.load(ordering: .relaxed) {}
            }
        }
    }

    private static func say(_ event: PressureEvent) {
        FileHandle.standardError.write(Data("\(event.resource) is short\n".utf8))
    }
}
