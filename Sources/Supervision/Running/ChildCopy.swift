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

    /// Tells it that it is to stop; one that has not started has nothing to finish, and is cancelled as well.
    func ask() {
        if !context.requestShutdown(gracefully: true) { cancelTask() }
    }

    /// Tells it that it is to stop, and cancels it.
    func cancel() {
        context.requestShutdown(gracefully: false)
        cancelTask()
    }

    /// Cancels it, without a word: it is too late for what it does.
    func cancelUnasked() {
        cancelTask()
        context.letGo()
    }

    private func cancelTask() {
        switch handle {
        case .early(let early): early.cancel()
        case .task(let task): task.cancel()
        }
    }
}

/// What a copy is to be told.
struct Order {
    let copy: ChildCopy
    let isCancelled: Bool

    func give() {
        if isCancelled { copy.cancel() } else { copy.ask() }
    }
}
