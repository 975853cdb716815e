import NIOCore
import Synchronization

/// Runs tasks on the thread of an event loop.
///
/// What comes from the loop goes on there without another thread being woken.
final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) {
        self.loop = loop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute {
            job.runSynchronously(on: self.asUnownedTaskExecutor())
        }
    }
}

/// Those of a group, each in its turn.
final class LoopExecutors: Sendable {
    private let all: [LoopExecutor]
    private let turn = Atomic<UInt>(0)

    init(_ group: any EventLoopGroup) {
        all = group.makeIterator().map(LoopExecutor.init)
    }

    func next() -> LoopExecutor {
        all[Int(turn.wrappingAdd(1, ordering: .relaxed).oldValue % UInt(all.count))]
    }
}
