/// One running copy of a child.
struct ChildCopy {
    let context: ChildContext
    private let task: Task<Void, Never>

    /// Starts a copy, in a task that inherits what is local to the calling task.
    init(_ spec: ChildSpec, _ context: ChildContext, inbox: Inbox, ref: ChildRef) {
        self.context = context
        spec.referent?.begin(context)
        task = Task {
            var exit: ChildExit
            do {
                if let staging = context.tree.staging {
                    try await staging.perform(context) { try await Self.perform(spec, context) }
                } else {
                    try await Self.perform(spec, context)
                }
                exit = .returned
            } catch {
                exit = .threw(error)
            }
            if context.isStartOverdue, !context.isShutdownRequested {
                exit = .threw(Self.startOverdue(spec, context, exit.error))
            }
            spec.referent?.end(context)
            context.end()
            inbox.send(.ended(ref, exit))
        }
        if spec.rules.startTimeout != nil, !spec.startsAtOnce { limitStart(of: spec, inbox, ref) }
    }

    private static func perform(_ spec: ChildSpec, _ context: ChildContext) async throws {
        if spec.startsAtOnce { context.started() }
        try await spec.body(context)
    }

    /// Cancels the copy when it has taken too long to start, and gives it up when it does not heed that.
    private func limitStart(of spec: ChildSpec, _ inbox: Inbox, _ ref: ChildRef) {
        guard let limit = spec.rules.startTimeout else { return }
        let timekeeper = context.timekeeper
        let deadline = timekeeper.now + limit
        let timer = Task { [context, task] in
            guard (try? await timekeeper.sleep(until: deadline)) != nil, context.giveUpStart() else { return }
            // What it may yet publish is not to be used.
            spec.referent?.end(context)
            task.cancel()
            guard let rest = spec.rules.shutdown.limit,
                (try? await timekeeper.sleep(until: timekeeper.now + rest)) != nil
            else { return }
            inbox.send(.overdue(ref, Self.startOverdue(spec, context, nil, isRunning: true)))
        }
        context.limitStart(timer)
    }

    private static func startOverdue(
        _ spec: ChildSpec,
        _ context: ChildContext,
        _ error: (any Error)?,
        isRunning: Bool = false
    ) -> SupervisorError {
        let limit = spec.rules.startTimeout ?? .zero
        return SupervisorError(
            .childFailedToStart,
            path: context.path,
            underlying: error is CancellationError ? nil : error,
            abandoned: isRunning ? [context.path] : (error as? SupervisorError)?.abandoned ?? [],
            details: ["had not started after \(limit)"]
        )
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
