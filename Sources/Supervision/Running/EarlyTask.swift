import SupervisionLock

/// The task of a child that has been begun on its supervisor's thread, for as long as it has not let go of that.
///
/// Whoever begins a task that way is given it when its first steps are over. Should these take long, somebody
/// else acts for the supervisor meanwhile, and can cancel the child by this.
final class EarlyTask: Sendable {
    private struct State {
        var isCancelled = false
        /// Whether the first steps are being taken.
        var isCurrent = false
        /// Afterwards.
        var task: Task<Void, Never>?
    }

    /// The task on whose thread that was asked, while its first steps are taken.
    ///
    /// In a place of its own: nothing is known here of how it is copied, so that each copy would cost.
    ///
    /// `@unchecked`: the place is read and written under the lock alone. Other threads use the task only to cancel
    /// it, which may be done from anywhere as long as there is the task. The thread that runs the first steps holds
    /// the task until it has either said here what it is, and then this holds it; or had its turn back: then nobody
    /// cancels the child by this any more.
    private struct Current: @unchecked Sendable {
        let place = UnsafeMutablePointer<UnsafeCurrentTask?>.allocate(capacity: 1)
    }

    private let current = Current()
    private let state = Locked(State())

    deinit {
        clear()
        current.place.deallocate()
    }

    /// Makes room for another task.
    func clear() {
        state.withLock { state in
            leave(&state)
            state = State()
        }
    }

    /// Notes the calling task.
    ///
    /// - Returns: Which one it is.
    func begin() -> TaskIdentity? {
        withUnsafeCurrentTask { task in
            state.withLock { state in
                current.place.initialize(to: task)
                state.isCurrent = true
                if state.isCancelled { current.place.pointee?.cancel() }
                return TaskIdentity(current.place)
            }
        }
    }

    /// Notes the task, whose first steps are over.
    func end(_ task: Task<Void, Never>) {
        state.withLock { state in
            leave(&state)
            state.task = task
        }
    }

    /// Cancels it, now or as soon as it is there.
    func cancel() {
        var current: UnsafeCurrentTask?
        let task = state.withLock { state -> Task<Void, Never>? in
            state.isCancelled = true
            if state.isCurrent { current = self.current.place.pointee }
            return state.task
        }
        // Not under the lock: what waits for the cancellation is called here, and may keep this thread, but is not to
        // keep the other with it.
        current?.cancel()
        task?.cancel()
    }

    /// Forgets the task whose first steps were taken.
    private func leave(_ state: inout State) {
        if state.isCurrent { current.place.deinitialize(count: 1) }
        state.isCurrent = false
    }
}
