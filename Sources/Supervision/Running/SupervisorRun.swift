/// One run of a supervisor: performs what its machine decides, and tells it what came of that.
///
/// Everything reaches it through the inbox. Children run in tasks of their own, and not in a task group, because a
/// group cancels all of its tasks at once where a supervisor stops them one after the other.
struct SupervisorRun<Machine: Decider> {
    /// One child, whether it runs or not.
    struct Node {
        var spec: ChildSpec
        var copy: ChildCopy?
        /// What it threw when it last ended.
        var lastError: (any Error)?
    }

    /// What whoever acts for the supervisor has to do next.
    enum Step: ~Copyable {
        /// Begin a child.
        case begin(ChildContext)
        /// Tell a child something.
        case tell(Order)
        /// Wait for news, once a child has been told to stop.
        case wait(telling: Order?)
        /// Nothing more.
        case over
    }

    let place: SupervisorPlace
    private(set) var machine: Machine
    private(set) var nodes: NumberedList<Node>
    private(set) var activeCount = 0
    /// When the supervisor came to what it is doing.
    var since = Duration.zero

    /// The significant child that ended last: where it is temporary, it is not in the list any more.
    var significantEnd: (slot: Int, id: String)?
    private var calls = PendingCalls()
    var ending: SupervisorEnding?
    var outcome: (reason: StopReason, abandoned: [ChildRef])?
    private var timer: DeadlineTimer

    /// News that is to be read.
    private var messages = Queue<Inbox.Message>()
    private var hasBegun = false
    /// The child whose first steps are being taken.
    private var beginning: ChildRef?
    /// The slot from which on children are still to be told to stop, where all are told.
    private var round: (from: Int, manner: Order.Manner)?
    /// The time, if it was asked for since the last step.
    private var moment: Duration?

    init(_ machine: Machine, at place: SupervisorPlace, children: [ChildSpec]) {
        self.machine = machine
        self.place = place
        nodes = NumberedList(children.lazy.map { Node(spec: $0) })
        timer = DeadlineTimer(place.timekeeper, inbox: place.inbox)
    }

    /// Goes on as far as it can without waiting; no child of its own is on the stack that has yet to end.
    mutating func advance() -> Step {
        moment = nil
        if let order = nextOfRound() { return .tell(order) }
        if messages.isEmpty { place.inbox.takeAll(&messages) }
        while true {
            if let action = machine.actions.pop() {
                if let step = perform(action) { return step }
            } else if let message = messages.pop() {
                if let step = handle(message) { return step }
            } else if outcome != nil {
                timer.cancel()
                close()
                return .over
            } else if !hasBegun {
                // A stop that was asked for before the run came first: then nothing is started at all.
                hasBegun = true
                // What stands below a supervisor that is started for the first time has been looked at from the top.
                if place.isTop || place.inbox.number > 1 {
                    nodes.forEach { if $1.spec.hasReferences { $1.spec.expectReferences() } }
                }
                decide(.start)
            } else if let deadline = machine.deadline, deadline <= time() {
                // What is due now need not be waited for, but what has arrived comes first.
                place.inbox.takeAll(&messages)
                if messages.isEmpty { decide(.time) }
            } else {
                timer.arm(for: machine.deadline)
                return .wait(telling: nil)
            }
        }
    }

    /// Whether nothing else is to be done before there is news.
    private mutating func canWait() -> Bool {
        guard machine.actions.isEmpty, messages.isEmpty, outcome == nil else { return false }
        guard let deadline = machine.deadline else { return true }
        return deadline > time()
    }

    /// Notes that a child is about to be begun.
    mutating func begin(_ context: ChildContext, _ early: EarlyTask) {
        activeCount += 1
        beginning = context.ref
        nodes.update(context.ref.slot) { $0.copy = ChildCopy(context: context, handle: .early(early)) }
    }

    /// Notes that the first steps of a child are over.
    mutating func begun(_ ref: ChildRef, _ task: Task<Void, Never>) {
        beginning = nil
        nodes.update(ref.slot) { $0.copy?.handle = .task(task) }
    }

    /// Notes that whoever began the last child has not come back from that in time: the child has the thread.
    mutating func loseThread() {
        guard let ref = beginning.take() else { return }
        copy(ref)?.context.keepThread()
    }

    var now: Duration { place.timekeeper.now }

    /// The time at which it was first asked for in this step.
    private mutating func time() -> Duration {
        if let moment { return moment }
        let now = now
        moment = now
        return now
    }

    /// - Returns: What is left of it for whoever acts.
    private mutating func handle(_ message: Inbox.Message) -> Step? {
        switch message {
        case .started(let ref):
            decide(.childStarted(ref))
        case .ended(let ref, let exit):
            ended(ref, exit)
        case .late(let ref):
            guard let copy = copy(ref) else { return nil }
            return .tell(Order(copy: copy, manner: .cancelUnasked))
        case .overdue(let ref, let error):
            guard copy(ref) != nil else { return nil }
            nodes.update(ref.slot) { $0.lastError = error }
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
            calls.remove(call.number)
        case .ping(let reply):
            reply(true)
        }
        return nil
    }

    /// That copy of a child, while it runs.
    private mutating func copy(_ ref: ChildRef) -> ChildCopy? {
        nodes.update(ref.slot) { $0.copy?.context.ref == ref ? $0.copy : nil } ?? nil
    }

    private mutating func ended(_ ref: ChildRef, _ exit: ChildExit) {
        var exit = exit
        let response = nodes.update(ref.slot) { node -> FailureResponse in
            defer { node.lastError = exit.error }
            guard let copy = node.copy, copy.context.ref == ref else { return .restart }
            node.copy = nil
            if copy.context.isStartOverdue, !copy.context.isShutdownRequested {
                exit = .threw(copy.context.startOverdue(node.spec.rules.startTimeout ?? .zero, exit.error))
            }
            // What comes of an error after it was told to stop is settled.
            guard let error = exit.error, !copy.context.isShutdownRequested else { return .restart }
            return node.spec.rules.onFailure?(error) ?? .restart
        }
        guard let response else { return }
        activeCount -= 1
        decide(.childEnded(ref, Exit(exit), response: response))
    }

    private mutating func decide(_ input: Input) {
        machine.hasAudience = place.eventHub.hasReaders
        machine.handle(input, at: time())
    }

    /// - Returns: What is left of it for whoever acts.
    private mutating func perform(_ action: Action) -> Step? {
        switch action {
        case .start(let ref): return start(ref).map(Step.begin)
        case .ask(let ref): return tell(ref, isCancelled: false)
        case .cancel(let ref): return tell(ref, isCancelled: true)
        case .expect(let slot): nodes.read(slot) { $0.spec.expectReferences() }
        case .adopt(let call, let slot): adopt(call, slot)
        case .askAll: return beginRound(.ask)
        case .cancelAll: return beginRound(.cancel)
        case .retire(let slot): retire(slot)
        case .forget(let slot):
            retire(slot)
            nodes.remove(slot)?.spec.nested?.finishEvents()
        case .report(let decision): report(decision)
        case .reply(let number, let reply): answer(number, reply)
        case .finish(let reason): outcome = (reason, machine.abandoned)
        }
        return nil
    }

    /// Tells a child to stop: now, or as the last thing before there is nothing to do but to wait.
    private mutating func tell(_ ref: ChildRef, isCancelled: Bool) -> Step? {
        let order =
            nodes.update(ref.slot) { node in
                node.copy.map { copy in
                    let ask: Order.Manner = node.spec.isSupervisor ? .askSupervisor : .ask
                    return Order(copy: copy, manner: isCancelled ? .cancel : ask)
                }
            } ?? nil
        guard let order else { return nil }
        guard canWait() else { return .tell(order) }
        timer.arm(for: machine.deadline)
        return .wait(telling: order)
    }

    private mutating func adopt(_ number: Int, _ slot: Int) {
        guard case .start(var spec)? = calls[number]?.request else { return }
        if spec.id.isEmpty { spec.id = "\(slot)" }
        nodes.append(Node(spec: spec))
    }

    private mutating func start(_ ref: ChildRef) -> ChildContext? {
        let place = place
        // In its place: the spec is not copied.
        return nodes.update(ref.slot) { node in
            let context = ChildContext(ref, node.spec, in: place)
            context.referent?.begin(context)
            if let limit = node.spec.rules.startTimeout, !node.spec.startsAtOnce {
                context.limitStart(to: limit, node.spec.rules.shutdown.limit)
            }
            return context
        }
    }

    private mutating func retire(_ slot: Int) {
        // Few have any.
        if nodes.read(slot, { $0.spec.hasReferences }) == true { retireReferences(of: slot) }
    }

    private func retireReferences(of slot: Int) {
        nodes[slot]?.spec.retireReferences(in: place.path, because: lastFailure(of: slot))
    }

    /// Begins to tell all children to stop, those that have not been told before.
    private mutating func beginRound(_ manner: Order.Manner) -> Step? {
        round = (0, manner)
        guard let order = nextOfRound() else { return nil }
        return .tell(order)
    }

    /// What the next of them is to be told; nil when there is none left.
    private mutating func nextOfRound() -> Order? {
        guard let (start, manner) = round else { return nil }
        let next = nodes.first(from: start) { $0.copy?.context.isShutdownRequested == false }
        guard let next, let copy = nodes.update(next, { $0.copy }) ?? nil else {
            round = nil
            machine.allTold(at: now)
            return nil
        }
        round?.from = next + 1
        emit(.childStopping(copy.context.ref))
        return Order(copy: copy, manner: manner)
    }

    /// Sees to it that nobody waits for a supervisor that is not there any more.
    private func close() {
        var unread = place.inbox.close()
        while let message = unread.pop() {
            switch message {
            case .ping(let reply): reply(false)
            case .call(let call): call.answer(.failure(SupervisorError(.notRunning, path: place.path)))
            case .started, .late, .overdue, .ended, .stop, .timer, .withdraw: break
            }
        }
        // A supervisor that is nested may be started again, with the children it was made with.
        nodes.forEach { slot, node in
            guard node.spec.hasReferences, place.isTop || !machine.isDeclared(slot) else { return }
            retireReferences(of: slot)
            node.spec.nested?.finishEvents()
        }
    }

    /// What a child threw when it last ended.
    func lastError(_ slot: Int) -> (any Error)? { nodes[slot]?.lastError }

    /// What a child threw when it last ended, unless that was its way of stopping.
    func lastFailure(of slot: Int) -> (any Error)? {
        let error = lastError(slot)
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
        case .start(let spec):
            if let refusal = refusal(adding: spec) { return call.answer(.failure(refusal)) }
            asked = .start(id: spec.id, spec.rules)
        case .terminate(let target): asked = .terminate(target)
        case .restart(let target): asked = .restart(target)
        case .delete(let target): asked = .delete(target)
        case .find(let target), .spec(let target): asked = .find(target)
        case .children, .count: asked = .read
        case .look(let limit): return call.answer(.success(.look(look(limit: limit))))
        }
        calls.add(call)
        decide(.call(number: call.number, asked))
    }

    /// Why a child cannot be added, whatever its id: started once more, it would take from the first what that has.
    private func refusal(adding spec: ChildSpec) -> SupervisorError? {
        guard spec.isInUse, nodes.first(from: 0, where: { $0.spec.id == spec.id }) == nil else { return nil }
        let problem =
            "child \"\(path(of: .start(spec)))\" runs already, under another id: make one for each place"
        return SupervisorError(.invalidTree, details: [problem])
    }

    private mutating func answer(_ number: Int, _ reply: Reply) {
        guard let call = calls.remove(number) else { return }
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
            call.answer(.success(.started(slot: ref.slot, run: place.inbox.number)))
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
            return SupervisorEnding(.childFailedToStart, at: path, error: lastError(ref.slot)).error(
                abandoned: [])
        case .abandoned(let ref):
            return SupervisorError(.childrenAbandoned, path: path, abandoned: abandoned([ref])).asAnswer
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
