import Dispatch
import NIOCore
import Synchronization

/// Runs the task of a connection: its first steps on the thread of the connection's event loop, the others on
/// Dispatch's threads.
///
/// A connection for a single request then needs no other thread to be woken, but for the route. One that stays has
/// no use for that, and its event loop has better things to do.
final class ConnectionExecutor: TaskExecutor {
    /// So many steps are enough for a request or two.
    private static let stepsOnLoop = 16

    private let loop: any EventLoop
    private let steps = Atomic(0)

    init(_ loop: any EventLoop) {
        self.loop = loop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if steps.wrappingAdd(1, ordering: .relaxed).oldValue < Self.stepsOnLoop {
            loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        } else {
            DispatchQueue.global().async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        }
    }
}

/// Those for the connections of a listener, whose event loops take turns.
final class ConnectionExecutors: Sendable {
    private let loops: [any EventLoop]
    private let turn = Atomic<UInt>(0)

    init(_ group: any EventLoopGroup) {
        loops = Array(group.makeIterator())
    }

    func next() -> ConnectionExecutor {
        let turn = turn.wrappingAdd(1, ordering: .relaxed).oldValue
        return ConnectionExecutor(loops[Int(turn % UInt(loops.count))])
    }
}
