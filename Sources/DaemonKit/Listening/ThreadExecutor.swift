import SupervisionLock

/// Runs a task on a thread that mostly waits for something else: what the thread has found, the task then goes on
/// with, and no other thread is woken for that.
final class ThreadExecutor: TaskExecutor {
    private enum Phase {
        /// The thread will see to new jobs by itself.
        case awake
        /// It has to be woken.
        case waiting
        /// It has gone, or is about to.
        case over
    }

    private struct State {
        var jobs: [UnownedJob] = []
        var phase = Phase.awake
    }

    private let wake: WakePipe
    private let state = Locked(State())

    /// For the thread that `wake` wakes.
    init(wakingBy wake: WakePipe) {
        self.wake = wake
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let phase = state.withLock { state in
            defer { if state.phase == .waiting { state.phase = .awake } }
            if state.phase != .over { state.jobs.append(job) }
            return state.phase
        }
        switch phase {
        case .awake: break
        case .waiting: wake.signal()
        case .over: globalConcurrentExecutor.enqueue(ExecutorJob(job))
        }
    }

    // MARK: On the thread

    /// Runs what there is to run.
    func runJobs() {
        run(thenBe: .awake)
    }

    /// Runs what there is to run, and then `wait`, which a job that comes ends.
    func runJobs(beforeWaiting wait: () -> Void) {
        run(thenBe: .waiting)
        wait()
        run(thenBe: .awake)
    }

    /// Runs what there is to run; what comes later is run elsewhere.
    func finish() {
        run(thenBe: .over)
    }

    private func run(thenBe phase: Phase) {
        while true {
            let jobs = state.withLock { state in
                defer { state.jobs.removeAll() }
                state.phase = state.jobs.isEmpty ? phase : .awake
                return state.jobs
            }
            guard !jobs.isEmpty else { return }
            for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
        }
    }
}
