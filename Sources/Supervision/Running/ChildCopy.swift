/// One running copy of a child.
struct ChildCopy {
    let context: ChildContext
    private let task: Task<Void, Never>

    /// Starts a copy, in a task that inherits what is local to the calling task.
    init(_ spec: ChildSpec, _ context: ChildContext, inbox: Inbox, ref: ChildRef) {
        self.context = context
        spec.referent?.begin(context)
        task = Task {
            if spec.startsAtOnce { context.started() }
            let exit: ChildExit
            do {
                try await spec.body(context)
                exit = .returned
            } catch {
                exit = .threw(error)
            }
            spec.referent?.end(context)
            context.end()
            inbox.send(.ended(ref, exit))
        }
    }

    /// Tells it that it is to stop.
    func ask() {
        context.requestShutdown(gracefully: true)
    }

    /// Tells it that it is to stop, and cancels it.
    func cancel() {
        context.requestShutdown(gracefully: false)
        task.cancel()
    }
}

extension Exit {
    init(_ exit: ChildExit) {
        switch exit {
        case .returned: self = .returned
        case .threw(is CancellationError): self = .cancelled
        case .threw(let error as SupervisorError) where !error.abandoned.isEmpty: self = .leftRunning
        case .threw: self = .threw
        }
    }
}
