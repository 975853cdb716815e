/// One running copy of a child.
struct ChildCopy {
    let context: ChildContext
    private let task: Task<Void, Never>

    /// Starts a copy, in a task that inherits what is local to the calling task.
    init(_ spec: ChildSpec, _ context: ChildContext) {
        self.context = context
        spec.referent?.begin(context)
        // What the task holds, and what its frame has room for, each child has for as long as it lives: no more than this.
        let (body, startsAtOnce) = (spec.body, spec.startsAtOnce)
        let (referent, startTimeout) = (spec.referent, spec.rules.startTimeout)
        task = Task {
            do {
                if let staging = context.tree.staging {
                    try await staging.perform(context) {
                        if startsAtOnce { context.started() }
                        try await body(context)
                    }
                } else {
                    if startsAtOnce { context.started() }
                    try await body(context)
                }
                Self.end(context, .returned, referent, startTimeout)
            } catch {
                Self.end(context, .threw(error), referent, startTimeout)
            }
        }
        if let startTimeout, !startsAtOnce { limitStart(of: spec, to: startTimeout) }
    }

    @inline(never)
    private static func end(
        _ context: ChildContext,
        _ exit: ChildExit,
        _ referent: (any Referent)?,
        _ startTimeout: Duration?
    ) {
        var exit = exit
        if context.isStartOverdue, !context.isShutdownRequested {
            exit = .threw(startOverdue(context, startTimeout ?? .zero, exit.error))
        }
        referent?.end(context)
        context.end()
        context.inbox.send(.ended(context.ref, exit))
    }

    /// Cancels the copy when it has taken too long to start, and gives it up when it does not heed that.
    private func limitStart(of spec: ChildSpec, to limit: Duration) {
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
            let error = Self.startOverdue(context, limit, nil, isRunning: true)
            context.inbox.send(.overdue(context.ref, error))
        }
        context.limitStart(timer)
    }

    private static func startOverdue(
        _ context: ChildContext,
        _ limit: Duration,
        _ error: (any Error)?,
        isRunning: Bool = false
    ) -> SupervisorError {
        SupervisorError(
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
