/// One run of a supervisor: performs what its machine decides, and tells it what came of that.
///
/// A single task owns this; everything reaches it through the inbox. Children run in tasks of their own, made
/// by that task so that they inherit its task-local values, and not in a task group, because a group cancels
/// all of its tasks at once where a supervisor stops them one after the other.
struct SupervisorRun {
    private let supervisor: Supervisor
    private let path: ChildPath
    private let tree: TreeValues
    private let timekeeper: Timekeeper
    private let inbox: Inbox
    private let onAllStarted: () -> Void

    private var machine: SupervisorMachine
    private var copies: [Copy?]
    private var lastErrors: [Int: any Error] = [:]
    private var outcome: (reason: SupervisorMachine.StopReason, abandoned: [SupervisorMachine.Ref])?
    private var timer: (task: Task<Void, Never>, deadline: Duration)?

    /// One running copy of a child.
    private struct Copy {
        let context: ChildContext
        let task: Task<Void, Never>
    }

    init(
        _ supervisor: Supervisor,
        path: ChildPath,
        tree: TreeValues,
        timekeeper: Timekeeper,
        inbox: Inbox,
        onAllStarted: @escaping () -> Void
    ) {
        self.supervisor = supervisor
        self.path = path
        self.tree = tree
        self.timekeeper = timekeeper
        self.inbox = inbox
        self.onAllStarted = onAllStarted
        machine = SupervisorMachine(
            strategy: supervisor.strategy,
            intensity: supervisor.intensity,
            children: supervisor.children.map { ($0.restart, $0.shutdown) }
        )
        copies = Array(repeating: nil, count: supervisor.children.count)
    }

    /// Runs until nothing is left to do.
    mutating func run() async throws {
        // A stop that was asked for before the run comes first: then nothing is started at all.
        for message in inbox.takeAll() { handle(message) }
        perform(machine.start())
        while outcome == nil {
            armTimer()
            for message in await inbox.next() { handle(message) }
        }
        timer?.task.cancel()
        for case .ping(let reply) in inbox.close() { reply.resume(returning: false) }
        if let error = failure { throw error }
    }

    private mutating func handle(_ message: Inbox.Message) {
        switch message {
        case .started(let ref):
            perform(machine.childStarted(ref))
        case .ended(let ref, let exit):
            if copies[ref.slot]?.context.generation == ref.generation { copies[ref.slot] = nil }
            lastErrors[ref.slot] = exit.error
            perform(machine.childEnded(ref, SupervisorMachine.Exit(exit), at: timekeeper.now))
        case .stop:
            perform(machine.stopRequested(at: timekeeper.now))
        case .timer:
            timer = nil
            perform(machine.deadlineReached(at: timekeeper.now))
        case .ping(let reply):
            reply.resume(returning: true)
        }
    }

    private mutating func perform(_ actions: [SupervisorMachine.Action]) {
        for action in actions {
            switch action {
            case .start(let ref): start(ref)
            case .ask(let ref): copies[ref.slot]?.context.requestShutdown()
            case .cancel(let ref):
                copies[ref.slot]?.context.requestShutdown()
                copies[ref.slot]?.task.cancel()
            case .report(let decision): report(decision)
            case .finish(let reason, let abandoned): outcome = (reason, abandoned)
            }
        }
    }

    private mutating func start(_ ref: SupervisorMachine.Ref) {
        let spec = supervisor.children[ref.slot]
        let context = ChildContext(
            id: spec.id,
            generation: ref.generation,
            parent: path,
            tree: tree,
            timekeeper: timekeeper,
            eventHub: supervisor.eventHub,
            onStarted: { [inbox] in inbox.send(.started(ref)) }
        )
        let task = Task { [inbox] in
            if spec.startsAtOnce { context.started() }
            let exit: ChildExit
            do {
                try await spec.body(context)
                exit = .returned
            } catch {
                exit = .threw(error)
            }
            inbox.send(.ended(ref, exit))
        }
        copies[ref.slot] = Copy(context: context, task: task)
    }

    /// Sees to it that the machine's deadline is noticed.
    ///
    /// A timer that is set too early is left alone: when it goes off, the right one is set. So a row of
    /// children that stop in time costs one timer, not one each.
    private mutating func armTimer() {
        guard let deadline = machine.deadline else { return }
        if let timer {
            guard deadline < timer.deadline else { return }
            timer.task.cancel()
        }
        let task = Task { [inbox, timekeeper] in
            guard (try? await timekeeper.sleep(until: deadline)) != nil else { return }
            inbox.send(.timer)
        }
        timer = (task, deadline)
    }
}

// MARK: - What is told to others

extension SupervisorRun {
    private func report(_ decision: SupervisorMachine.Decision) {
        if decision == .started { onAllStarted() }
        guard supervisor.eventHub.hasReaders else { return }
        supervisor.eventHub.emit(
            SupervisorEvent(time: timekeeper.now, supervisor: path, kind: kind(of: decision))
        )
    }

    private func kind(of decision: SupervisorMachine.Decision) -> SupervisorEvent.Kind {
        switch decision {
        case .starting: .starting
        case .started: .started
        case .childStarting(let ref): .childStarting(child: id(ref))
        case .childStarted(let ref): .childStarted(child: id(ref))
        case .childIgnored(let ref): .childIgnored(child: id(ref))
        case .childEnded(let ref, _): .childEnded(child: id(ref), exit: exit(ref))
        case .childRestarting(let ref): .childRestarting(child: id(ref), restarts: ref.generation)
        case .childDropped(let ref): .childDropped(child: id(ref))
        case .stopping(let reason): .stopping(stopReason(reason))
        case .childStopping(let ref): .childStopping(child: id(ref))
        case .childOverdue(let ref, let time): .childOverdue(child: id(ref), after: time)
        case .childStopped(let ref, _): .childStopped(child: id(ref), exit: exit(ref))
        case .childAbandoned(let ref, let time): .childAbandoned(child: id(ref), after: time)
        case .stopped: .stopped
        }
    }

    private func stopReason(_ reason: SupervisorMachine.StopReason) -> SupervisorEvent.StopReason {
        switch reason {
        case .requested: .requested
        case .startFailed(let ref): .startFailed(child: id(ref), error: lastErrors[ref.slot])
        case .gaveUp(let ref):
            .gaveUp(child: id(ref), intensity: supervisor.intensity, error: lastErrors[ref.slot])
        case .leftRunning(let ref): .leftRunning(child: id(ref), error: lastErrors[ref.slot])
        }
    }

    /// What the run throws at its end, unless it ended as it was asked to.
    ///
    /// Where the failing child is a supervisor, its error already tells the deepest child and what that one
    /// threw; it is passed on rather than wrapped.
    private var failure: SupervisorError? {
        guard let outcome else { return nil }
        let abandoned = outcome.abandoned.flatMap { ref in
            let nested = (lastErrors[ref.slot] as? SupervisorError)?.abandoned ?? []
            return nested.isEmpty ? [path.appending(id(ref))] : nested
        }
        switch outcome.reason {
        case .requested:
            guard !abandoned.isEmpty else { return nil }
            return SupervisorError(.childrenAbandoned, path: path, abandoned: abandoned)
        case .startFailed(let ref):
            return failure(.childFailedToStart, ref, abandoned: abandoned)
        case .gaveUp(let ref):
            let details = ["more than \(supervisor.intensity)"]
            return failure(.gaveUp, ref, abandoned: abandoned, details: details)
        case .leftRunning(let ref):
            let code = (lastErrors[ref.slot] as? SupervisorError)?.code ?? .childrenAbandoned
            return failure(code, ref, abandoned: abandoned)
        }
    }

    private func failure(
        _ code: SupervisorError.Code,
        _ ref: SupervisorMachine.Ref,
        abandoned: [ChildPath],
        details: [String] = []
    ) -> SupervisorError {
        let error = lastErrors[ref.slot]
        if let nested = error as? SupervisorError {
            return SupervisorError(
                code,
                path: nested.path,
                underlying: nested.underlying,
                abandoned: abandoned,
                details: nested.details
            )
        }
        return SupervisorError(
            code,
            path: path.appending(id(ref)),
            underlying: error,
            abandoned: abandoned,
            details: details
        )
    }

    private func id(_ ref: SupervisorMachine.Ref) -> String {
        supervisor.children[ref.slot].id
    }

    private func exit(_ ref: SupervisorMachine.Ref) -> ChildExit {
        lastErrors[ref.slot].map(ChildExit.threw) ?? .returned
    }
}

extension SupervisorMachine.Exit {
    init(_ exit: ChildExit) {
        switch exit {
        case .returned: self = .returned
        case .threw(is CancellationError): self = .cancelled
        case .threw(let error as SupervisorError) where !error.abandoned.isEmpty: self = .leftRunning
        case .threw: self = .threw
        }
    }
}
