import SupervisionLock

/// Where the task runs that acts for a supervisor: on a thread that is lent to it, otherwise on the pool.
///
/// Whoever asks for something and has nothing to do but to wait for it lends its thread: then the answer takes no
/// change of threads. The task runs there, and not the one that asks, because children inherit what is local to the
/// task. On the thread of the last child it comes to its end in the same way.
final class LoopExecutor: TaskExecutor {
    private struct State {
        /// How many are about to lend their thread.
        var lenders = 0
        /// What is to run on such a thread.
        var job: UnownedJob?
    }

    private let state = Locked(State())

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isLent = state.withLock { state in
            let isLent = state.lenders > 0 && state.job == nil
            if isLent { state.job = job }
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
}
