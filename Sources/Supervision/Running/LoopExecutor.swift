import SupervisionLock

/// Where the task runs that acts for a supervisor: on a thread that is lent to it, otherwise on the pool.
///
/// Whoever asks for something and has nothing to do but to wait for it lends its thread: then the answer takes no change
/// of threads. The task runs there, and not the one that asks, because children inherit what is local to the task.
final class LoopExecutor: TaskExecutor {
    private struct State {
        /// How many are about to lend their thread.
        var lenders = 0
        /// What is to run on such a thread.
        var job: UnownedJob?
        /// How many steps the task may take before others have the thread, if that has not been asked yet.
        var allowance: Int?
    }

    /// How many steps are taken in a row on the pool: for less than a millisecond, where children begin as they should.
    private static let patience = 256
    /// How many are taken on a lent thread: one child is begun, or what was asked is answered.
    private static let visit = 2

    private let state = Locked(State())

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isLent = state.withLock { state in
            let isLent = state.lenders > 0 && state.job == nil
            if isLent { state.job = job }
            state.allowance = isLent ? Self.visit : Self.patience
            return isLent
        }
        guard !isLent else { return }
        Task.detached(priority: TaskPriority(rawValue: job.priority.rawValue)) { [self] in
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }

    /// Lends the calling thread to the task, should `wake` have it go on.
    func lend(toWhom wake: () -> Void) {
        state.withLock { $0.lenders += 1 }
        wake()
        let job = state.withLock { state in
            state.lenders -= 1
            return state.job.take()
        }
        job?.runSynchronously(on: asUnownedTaskExecutor())
    }

    /// Says how many steps may be taken; if that was asked since the task came to the thread, it stays what it is.
    func renew(_ allowance: inout Int) {
        if let new = state.withLock({ $0.allowance.take() }) { allowance = new }
    }
}
