import NIOCore
import Synchronization

/// Runs tasks on the thread of an event loop.
///
/// What comes from the loop goes on there without another thread being woken.
final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop
    private let connections = Atomic<Int>(0)

    init(_ loop: any EventLoop) {
        self.loop = loop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute {
            job.runSynchronously(on: self.asUnownedTaskExecutor())
        }
    }

    /// How many connections it has.
    var load: Int { connections.load(ordering: .relaxed) }

    func connectionBegins() {
        connections.wrappingAdd(1, ordering: .relaxed)
    }

    func connectionEnded() {
        connections.wrappingSubtract(1, ordering: .relaxed)
    }
}

/// Those of a group of event loops.
final class LoopExecutors: Sendable {
    private let all: [LoopExecutor]
    private let turn = Atomic<UInt>(0)

    init(_ group: any EventLoopGroup) {
        all = group.makeIterator().map(LoopExecutor.init)
    }

    /// The one for a connection that begins: that which has the fewest, each in its turn among those that have as few.
    ///
    /// An event loop whose thread gets less of a processor than others do is given less to do.
    func next() -> LoopExecutor {
        let first = Int(turn.wrappingAdd(1, ordering: .relaxed).oldValue % UInt(all.count))
        var least = all[first]
        for offset in 1..<max(1, all.count) {
            let executor = all[(first + offset) % all.count]
            if executor.load < least.load { least = executor }
        }
        least.connectionBegins()
        return least
    }

    /// How many connections all of them have.
    var load: Int { all.reduce(0) { $0 + $1.load } }

    /// The one that runs the current task.
    var current: LoopExecutor? {
        withUnsafeCurrentTask { task in
            guard let executor = task?.unownedTaskExecutor else { return nil }
            return all.first { $0.asUnownedTaskExecutor() == executor }
        }
    }
}
