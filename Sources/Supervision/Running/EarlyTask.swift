import SupervisionLock

/// The task of a child that has been begun on its supervisor's thread, for as long as it has not let go of that.
///
/// Whoever begins a task that way is given it when its first steps are over. Should these take long, somebody
/// else acts for the supervisor meanwhile, and can cancel the child by this.
final class EarlyTask: Sendable {
    private enum State {
        case unbegun(isCancelled: Bool)
        case running(Current)
        case made(Task<Void, Never>)
    }

    /// The task on whose thread that was asked.
    ///
    /// It is used by other threads only to cancel it, which may be done from anywhere as long as there is the
    /// task, and only under the lock. The thread that runs the first steps holds the task until it has taken
    /// that lock to say what it is.
    private struct Current: @unchecked Sendable {
        let task: UnsafeCurrentTask
    }

    private let state = Locked(State.unbegun(isCancelled: false))

    /// Makes room for another task.
    func clear() {
        state.withLock { $0 = .unbegun(isCancelled: false) }
    }

    /// Notes the calling task.
    func begin() {
        withUnsafeCurrentTask { task in
            guard let task else { return }
            let current = Current(task: task)
            let isCancelled = state.withLock { state in
                guard case .unbegun(let isCancelled) = state else { return false }
                state = .running(current)
                return isCancelled
            }
            if isCancelled { task.cancel() }
        }
    }

    /// Notes the task, whose first steps are over.
    func end(_ task: Task<Void, Never>) {
        let isCancelled = state.withLock { state in
            defer { state = .made(task) }
            guard case .unbegun(let isCancelled) = state else { return false }
            return isCancelled
        }
        if isCancelled { task.cancel() }
    }

    /// Cancels it, now or as soon as it is there.
    func cancel() {
        let task = state.withLock { state -> Task<Void, Never>? in
            switch state {
            case .unbegun:
                state = .unbegun(isCancelled: true)
                return nil
            case .running(let current):
                current.task.cancel()
                return nil
            case .made(let task):
                return task
            }
        }
        task?.cancel()
    }
}
