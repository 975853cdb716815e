/// One copy of a child.
struct ChildCopy {
    /// How the task is reached.
    enum Handle {
        /// It may still be at its first steps.
        case early(EarlyTask)
        case task(Task<Void, Never>)
    }

    let context: ChildContext
    var handle: Handle

    fileprivate func cancelTask() {
        switch handle {
        case .early(let early): early.cancel()
        case .task(let task): task.cancel()
        }
    }
}

/// What a copy is to be told.
struct Order: ~Copyable {
    enum Manner {
        /// That it is to stop; one that has not started has nothing to finish, and is cancelled as well.
        case ask
        /// The same to a supervisor, which stops in its order when it is cancelled, and has the time for that.
        case askSupervisor
        /// That it is to stop, and that at once.
        case cancel
        /// Nothing: it is too late for what it does.
        case cancelUnasked
    }

    let copy: ChildCopy
    let manner: Manner

    /// Gives it.
    ///
    /// What waits in the child for its cancellation is called here, and may keep the thread.
    consuming func give() {
        switch manner {
        case .ask:
            if !copy.context.requestShutdown(gracefully: true) { copy.cancelTask() }
        case .askSupervisor:
            copy.context.requestShutdown(gracefully: true)
            copy.cancelTask()
        case .cancel:
            copy.context.requestShutdown(gracefully: false)
            copy.cancelTask()
        case .cancelUnasked:
            copy.cancelTask()
            copy.context.letGo()
        }
    }
}
