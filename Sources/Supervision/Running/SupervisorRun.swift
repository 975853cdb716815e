/// One run of a supervisor: performs what its machine decides, and tells it what came of that.
///
/// A single task owns this; everything reaches it through the inbox. Children run in tasks of their own, made
/// by that task so that they inherit its task-local values, and not in a task group, because a group cancels
/// all of its tasks at once where a supervisor stops them one after the other.
struct SupervisorRun<Machine: Decider> {
    /// One child, whether it runs or not.
    struct Node {
        var spec: ChildSpec
        var copy: ChildCopy?
    }

    let place: SupervisorPlace
    let inbox: Inbox
    private(set) var machine: Machine
    private(set) var nodes: NumberedList<Node>
    private(set) var lastErrors: [Int: any Error] = [:]
    private(set) var activeCount = 0
    /// When the supervisor came to what it is doing.
    var since = Duration.zero

    /// The significant child that ended last: where it is temporary, it is not in the list any more.
    var significantEnd: (slot: Int, id: String)?
    private var calls: [Int: PendingCall] = [:]
    var ending: SupervisorEnding?
    var outcome: (reason: StopReason, abandoned: [ChildRef])?
    private var timer: DeadlineTimer

    init(_ machine: Machine, at place: SupervisorPlace, children: [ChildSpec], inbox: Inbox) {
        self.machine = machine
        self.place = place
        self.inbox = inbox
        nodes = NumberedList(children.map { Node(spec: $0) })
        timer = DeadlineTimer(place.timekeeper, inbox: inbox)
    }

    /// Runs until nothing is left to do.
    mutating func run() async throws {
        // A stop that was asked for before the run comes first: then nothing is started at all.
        for message in inbox.takeAll() { handle(message) }
        decide(.start)
        while outcome == nil {
            // What is due now need not be waited for, but what has arrived comes first.
            if let deadline = machine.deadline, deadline <= now {
                for message in inbox.takeAll() { handle(message) }
                decide(.time)
                continue
            }
            timer.arm(for: machine.deadline)
            for message in await inbox.next() { handle(message) }
        }
        timer.cancel()
        close()
        if let error = failure { throw error }
    }

    var now: Duration { place.timekeeper.now }

    private mutating func handle(_ message: Inbox.Message) {
        switch message {
        case .started(let ref):
            decide(.childStarted(ref))
        case .ended(let ref, let exit):
            ended(ref, exit)
        case .overdue(let ref, let error):
            guard nodes[ref.slot]?.copy?.context.ref == ref else { return }
            lastErrors[ref.slot] = error
            decide(.childEnded(ref, .leftRunning, response: .restart))
        case .stop:
            decide(.stop)
        case .timer(let deadline):
            timer.wentOff(deadline)
            decide(.time)
        case .call(let call):
            serve(call)
        case .withdraw(let call):
            machine.withdraw(call.number)
            calls[call.number] = nil
        case .ping(let reply):
            reply.resume(returning: true)
        }
    }

    private mutating func ended(_ ref: ChildRef, _ exit: ChildExit) {
        let response = nodes.update(ref.slot) { node -> FailureResponse in
            guard let copy = node.copy, copy.context.ref == ref else { return .restart }
            node.copy = nil
            // What comes of an error after it was told to stop is settled.
            guard let error = exit.error, !copy.context.isShutdownRequested else { return .restart }
            return node.spec.rules.onFailure?(error) ?? .restart
        }
        guard let response else { return }
        activeCount -= 1
        lastErrors[ref.slot] = exit.error
        decide(.childEnded(ref, Exit(exit), response: response))
    }

    private mutating func decide(_ input: Input) {
        machine.handle(input, at: now)
        while let action = machine.actions.pop() {
            switch action {
            case .adopt(let call, let slot): adopt(call, slot)
            case .start(let ref): start(ref)
            case .ask(let ref): nodes[ref.slot]?.copy?.ask()
            case .cancel(let ref): nodes[ref.slot]?.copy?.cancel()
            case .askAll: stopAll { $0.ask() }
            case .cancelAll: stopAll { $0.cancel() }
            case .retire(let slot): retire(slot)
            case .forget(let slot):
                retire(slot)
                nodes.remove(slot)
                lastErrors[slot] = nil
            case .report(let decision): report(decision)
            case .reply(let number, let reply): answer(number, reply)
            case .finish(let reason, let abandoned): outcome = (reason, abandoned)
            }
        }
    }

    private mutating func adopt(_ number: Int, _ slot: Int) {
        guard case .start(var spec)? = calls[number]?.request else { return }
        if spec.id.isEmpty { spec.id = "\(slot)" }
        nodes.append(Node(spec: spec))
    }

    private mutating func start(_ ref: ChildRef) {
        guard let spec = nodes[ref.slot]?.spec else { return }
        let context = ChildContext(ref, id: spec.id, in: place, inbox: inbox)
        let copy = ChildCopy(spec, context)
        activeCount += 1
        nodes.update(ref.slot) { $0.copy = copy }
    }

    private func retire(_ slot: Int) {
        nodes[slot]?.spec.retireReferences(in: place.path, because: lastFailure(of: slot))
    }

    private mutating func stopAll(_ stop: (ChildCopy) -> Void) {
        nodes.forEach { slot, node in
            guard let copy = node.copy, !copy.context.isShutdownRequested else { return }
            emit(.childStopping(copy.context.ref))
            stop(copy)
        }
        machine.allTold(at: now)
    }

    /// Sees to it that nobody waits for a supervisor that is not there any more.
    private func close() {
        for message in inbox.close() {
            switch message {
            case .ping(let reply): reply.resume(returning: false)
            case .call(let call): call.answer(.failure(SupervisorError(.notRunning, path: place.path)))
            case .started, .overdue, .ended, .stop, .timer, .withdraw: break
            }
        }
        // A supervisor that is nested may be started again, with the children it was made with.
        nodes.forEach { slot, _ in
            if place.isTop || !machine.isDeclared(slot) { retire(slot) }
        }
    }

    /// What a child threw when it last ended, unless that was its way of stopping.
    func lastFailure(of slot: Int) -> (any Error)? {
        let error = lastErrors[slot]
        return error is CancellationError ? nil : error
    }
}

// MARK: - Calls

extension SupervisorRun {
    private mutating func serve(_ call: PendingCall) {
        // A task that was cancelled before it asked withdraws its call before it is there.
        guard !call.isOver else { return }
        let asked: Call
        switch call.request {
        case .start(let spec): asked = .start(id: spec.id, spec.rules)
        case .terminate(let target): asked = .terminate(target)
        case .restart(let target): asked = .restart(target)
        case .delete(let target): asked = .delete(target)
        case .find(let target), .spec(let target): asked = .find(target)
        case .children, .count: asked = .read
        case .look(let limit): return call.answer(.success(.look(look(limit: limit))))
        }
        calls[call.number] = call
        decide(.call(number: call.number, asked))
    }

    private mutating func answer(_ number: Int, _ reply: Reply) {
        guard let call = calls.removeValue(forKey: number) else { return }
        switch (call.request, reply) {
        case (.children, .done): call.answer(.success(.snapshots(snapshots(limit: .max))))
        case (.count, .done): call.answer(.success(.count(count)))
        case (.spec, .found(let slot, _)):
            guard let spec = nodes[slot]?.spec else { return }
            call.answer(.success(.spec(spec)))
        case (_, .found(let slot, let standing)):
            guard let node = nodes[slot] else { return }
            call.answer(.success(.snapshots([snapshot(slot, standing, node)])))
        case (_, .started(let ref)):
            call.answer(.success(.started(slot: ref.slot, run: inbox.number)))
        case (_, .ignored): call.answer(.success(.ignored))
        case (_, .done): call.answer(.success(.done))
        case (_, .refused(let refusal)): call.answer(.failure(error(refusal, call.request)))
        }
    }

    private var count: ChildCount {
        var supervisors = 0
        if place.kind != .dynamicSupervisor {
            nodes.forEach { if $1.spec.isSupervisor { supervisors += 1 } }
        }
        return ChildCount(
            specs: nodes.count,
            active: activeCount,
            supervisors: supervisors,
            workers: nodes.count - supervisors
        )
    }

    private func error(_ refusal: Refusal, _ request: PendingCall.Request) -> SupervisorError {
        let path = path(of: request)
        switch refusal {
        case .alreadyStarted: return SupervisorError(.alreadyStarted, path: path)
        case .alreadyPresent: return SupervisorError(.alreadyPresent, path: path)
        case .notFound: return SupervisorError(.childNotFound, path: path)
        case .running: return SupervisorError(.childRunning, path: path)
        case .restarting: return SupervisorError(.childRestarting, path: path)
        case .tooManyChildren: return SupervisorError(.tooManyChildren, path: place.path)
        case .notRunning: return SupervisorError(.notRunning, path: place.path)
        case .startFailed(let ref):
            return SupervisorEnding(.childFailedToStart, at: path, error: lastErrors[ref.slot]).error(
                abandoned: [])
        case .abandoned(let ref):
            return SupervisorError(.childrenAbandoned, path: path, abandoned: abandoned([ref]))
        }
    }

    private func path(of request: PendingCall.Request) -> ChildPath {
        switch request {
        case .start(let spec):
            return spec.id.isEmpty ? place.path : place.path.appending(spec.id)
        case .terminate(let target), .restart(let target), .delete(let target), .find(let target),
            .spec(let target):
            switch target {
            case .id(let id): return place.path.appending(id)
            case .slot(let slot): return place.path.appending(nodes[slot]?.spec.id ?? "\(slot)")
            }
        case .children, .count, .look:
            return place.path
        }
    }
}
