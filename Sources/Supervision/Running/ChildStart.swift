/// A copy of a child that is to be begun.
struct ChildStart {
    let context: ChildContext
    private let body: @Sendable (ChildContext) async throws -> Void
    private let startsAtOnce: Bool
    private let referent: (any Referent)?
    private let startTimeout: Duration?

    init(_ spec: ChildSpec, _ context: ChildContext) {
        self.context = context
        body = spec.body
        startsAtOnce = spec.startsAtOnce
        referent = spec.referent
        startTimeout = spec.rules.startTimeout
        referent?.begin(context)
        if let startTimeout, !startsAtOnce { limitStart(to: startTimeout, spec.rules.shutdown.limit) }
    }

    /// Begins it, in a task that inherits what is local to the calling task, and on the calling thread until the
    /// body suspends for the first time.
    ///
    /// - Parameter early: By what the task is known until this returns it.
    /// - Returns: The task.
    func begin(known early: EarlyTask) -> Task<Void, Never> {
        let (context, body, startsAtOnce) = (context, body, startsAtOnce)
        let (referent, startTimeout) = (referent, startTimeout)
        // Both closures are written out where they are used: one that is passed on costs each child a frame.
        guard #available(macOS 26, iOS 26, tvOS 26, watchOS 26, visionOS 26, *) else {
            return Task { await Self.run(context, body, startsAtOnce, referent, startTimeout) }
        }
        return Task.immediate {
            early.begin()
            await Self.run(context, body, startsAtOnce, referent, startTimeout)
        }
    }

    /// The life of a copy.
    ///
    /// What its task holds, and what its frames have room for, each child has for as long as it lives: no more than
    /// this, and the frames of a child that only waits fit into what a task has at its beginning.
    @inline(__always)
    private static func run(
        _ context: ChildContext,
        _ body: @escaping @Sendable (ChildContext) async throws -> Void,
        _ startsAtOnce: Bool,
        _ referent: (any Referent)?,
        _ startTimeout: Duration?
    ) async {
        do {
            if context.place.tree.staging == nil {
                if startsAtOnce { context.started() }
                try await body(context)
            } else {
                try await perform(context, body, startsAtOnce)
            }
            end(context, .returned, referent, startTimeout)
        } catch {
            end(context, .threw(error), referent, startTimeout)
        }
    }

    /// Has a body performed by a test.
    @inline(never)
    private static func perform(
        _ context: ChildContext,
        _ body: @escaping @Sendable (ChildContext) async throws -> Void,
        _ startsAtOnce: Bool
    ) async throws {
        try await context.place.tree.staging?.perform(context) {
            if startsAtOnce { context.started() }
            try await body(context)
        }
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
        context.place.inbox.send(.ended(context.ref, exit))
    }

    /// Has the copy cancelled when it has taken too long to start, and given up when it does not heed that.
    private func limitStart(to limit: Duration, _ rest: Duration?) {
        let place = context.place
        let deadline = place.timekeeper.now + limit
        let timer = Task { [context, referent] in
            guard (try? await place.timekeeper.sleep(until: deadline)) != nil, context.giveUpStart() else {
                return
            }
            // What it may yet publish is not to be used.
            referent?.end(context)
            place.inbox.send(.late(context.ref))
            guard let rest, (try? await place.timekeeper.sleep(until: place.timekeeper.now + rest)) != nil
            else { return }
            let error = Self.startOverdue(context, limit, nil, isRunning: true)
            place.inbox.send(.overdue(context.ref, error))
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
