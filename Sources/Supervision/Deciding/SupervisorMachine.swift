/// The decisions of a supervisor whose children stand in an order.
///
/// See ``Decider`` for what goes in and comes out. At most one child is being stopped at any moment, and at most
/// one call is being served.
struct SupervisorMachine: Decider {
    struct Slot {
        let id: String
        let rules: ChildRules
        var state = ChildState.unstarted
        var hasBeenUp = false
        var since = Duration.zero
        var generation = 0
    }

    enum Phase: Equatable {
        case idle
        /// Bringing up the slots from `next` on, one at a time.
        case starting(next: Int)
        case running
        /// Taking down the slots before `end`, the last one first.
        case stopping(Purpose, before: Int)
        case ended
    }

    /// Why slots are taken down.
    enum Purpose: Equatable {
        /// To end: all of them.
        case end(StopReason)
        /// To start them again: those from here on.
        case restart(from: Int)

        var first: Int {
            if case .restart(let first) = self { first } else { 0 }
        }
    }

    /// The child that is being stopped.
    struct Stop: Equatable {
        var ref: ChildRef
        var since: Duration
        var deadline: Duration?
        /// How long it may go on after the deadline at which it is cancelled; nil once it has been cancelled.
        var grace: Duration?
    }

    /// The call that is being served.
    struct ServedCall: Equatable {
        enum Work: Equatable {
            case starting(ChildRef, isNew: Bool)
            case terminating(slot: Int)
        }

        var number: Int
        var work: Work
    }

    var actions = Queue<Action>()
    var hasAudience = true
    let strategy: Strategy
    let autoShutdown: AutoShutdown
    private let declaredCount: Int
    var slots: NumberedList<Slot>
    var phase = Phase.idle
    var hasStarted = false
    var stop: Stop?
    var book: RestartBook
    /// The children that wait to be started again.
    ///
    /// One that no longer waits stays in it until its time.
    var dues = DeadlineQueue<ChildRef>()
    /// When each of them is due, for those who ask.
    var dueTimes: [Int: Duration] = [:]
    /// The significant children that have ended by themselves since that was last looked at.
    var significantEnds: [ChildRef] = []

    var served: ServedCall?
    var calls = Queue<(number: Int, call: Call)>()
    var queued: Set<Int> = []
    /// Where each id stands; made when somebody asks for the first time.
    var slotsByID: [String: Int]?

    private var counts = Array(repeating: 0, count: ChildState.allCases.count)
    /// The significant children that run, or that will be started.
    private(set) var significantChildrenLeft = 0

    init(
        strategy: Strategy,
        intensity: RestartIntensity,
        autoShutdown: AutoShutdown = .never,
        children: some Sequence<(id: String, rules: ChildRules)>,
        seed: UInt64
    ) {
        self.strategy = strategy
        self.autoShutdown = autoShutdown
        slots = NumberedList(children.lazy.map { Slot(id: $0.id, rules: $0.rules) })
        declaredCount = slots.count
        book = RestartBook(intensity, seed: seed)
        counts[ChildState.unstarted.rawValue] = declaredCount
        slots.forEach { if $1.rules.isSignificant { significantChildrenLeft += 1 } }
    }

    var deadline: Duration? {
        switch (stop?.deadline, dues.earliest) {
        case (let stop?, let due?): min(stop, due)
        case (let stop, let due): stop ?? due
        }
    }

    func count(_ state: ChildState) -> Int {
        counts[state.rawValue]
    }

    /// Notes that a child has come to a state.
    mutating func set(_ slot: Int, _ state: ChildState, at now: Duration) {
        slots.update(slot) { child in
            if child.state == .waiting { dueTimes[slot] = nil }
            counts[child.state.rawValue] -= 1
            counts[state.rawValue] += 1
            if child.rules.isSignificant {
                significantChildrenLeft += (child.state.isOver ? 1 : 0) - (state.isOver ? 1 : 0)
            }
            child.state = state
            child.since = now
            if state == .running { child.hasBeenUp = true }
        }
    }

    /// Puts a child at the end of the list.
    ///
    /// - Returns: Its slot.
    mutating func add(_ id: String, _ rules: ChildRules) -> Int {
        counts[ChildState.unstarted.rawValue] += 1
        if rules.isSignificant { significantChildrenLeft += 1 }
        let slot = slots.append(Slot(id: id, rules: rules))
        slotsByID?[id] = slot
        return slot
    }

    /// Takes a child out of the list.
    mutating func forget(_ slot: Int) {
        guard let child = slots.remove(slot) else { return }
        counts[child.state.rawValue] -= 1
        if child.rules.isSignificant, !child.state.isOver { significantChildrenLeft -= 1 }
        if slotsByID?[child.id] == slot { slotsByID?[child.id] = nil }
        book.forget(slot)
        actions.push(.forget(slot: slot))
    }

    func isCurrent(_ ref: ChildRef) -> Bool {
        slots.read(ref.slot) { $0.generation } == ref.generation
    }

    /// The state of a child, unless another copy of it has been started since.
    func state(of ref: ChildRef) -> ChildState? {
        slots.read(ref.slot) { $0.generation == ref.generation ? $0.state : nil } ?? nil
    }

    func state(_ slot: Int) -> ChildState? {
        slots.read(slot) { $0.state }
    }
}

// MARK: - Inputs

extension SupervisorMachine {
    mutating func handle(_ input: Input, at now: Duration) {
        switch input {
        case .start: begin(at: now)
        case .childStarted(let ref): started(ref, at: now)
        case .childEnded(let ref, let exit, let response): ended(ref, exit, response, at: now)
        case .stop: return beginStop(.requested, at: now)
        case .time:
            stopDeadlineReached(at: now)
            restartDue(at: now)
        case .call(let number, let call): take(call, number)
        }
        settle(at: now)
    }

    private mutating func begin(at now: Duration) {
        guard phase == .idle else { return }
        phase = .starting(next: 0)
        report(.starting)
        startNext(at: now)
    }

    private mutating func started(_ ref: ChildRef, at now: Duration) {
        guard state(of: ref) == .starting else { return }
        set(ref.slot, .running, at: now)
        report(.childStarted(ref))
        answerStart(of: ref.slot, .started(ref))
        startNext(at: now)
    }

    private mutating func ended(
        _ ref: ChildRef,
        _ exit: Exit,
        _ response: FailureResponse,
        at now: Duration
    ) {
        guard let state = state(of: ref) else { return }
        switch state {
        case .starting, .running:
            endedByItself(ref, exit, response, at: now)
        case .stopping:
            stopped(ref, exit, at: now)
        case .abandoned:
            // Better late than never: it no longer counts as left running.
            set(ref.slot, exit == .leftRunning ? .abandoned : .terminated, at: now)
            report(.childStopped(ref, exit))
            if phase != .ended { forgetIfTemporary(ref.slot) }
        case .unstarted, .waiting, .stopped, .terminated, .done, .givenUp:
            break
        }
    }

    // Its children are told one by one.
    mutating func allTold(at now: Duration) {}
}

// MARK: - What comes next

extension SupervisorMachine {
    /// Starts the next child that is to be up, once everything above it is.
    mutating func startNext(at now: Duration) {
        guard case .starting(let next) = phase, count(.starting) == 0 else { return }
        // Children that fail by themselves are waited for; those that fail together are started here.
        if strategy == .oneForOne, count(.waiting) > 0 { return }
        guard let slot = slots.first(from: next, where: { $0.state.isStartedWithOthers }) else {
            phase = .running
            // What waits, and what waits with it, has yet to start.
            guard !hasStarted, count(.waiting) == 0 else { return }
            hasStarted = true
            return report(.started)
        }
        phase = .starting(next: slot + 1)
        start(slot: slot, at: now)
    }

    mutating func start(slot: Int, at now: Duration) {
        set(slot, .starting, at: now)
        let generation = slots.update(slot) { child in
            child.generation += 1
            return child.generation
        }
        let ref = ChildRef(slot: slot, generation: generation ?? 0)
        if let served, case .starting(let earlier, let isNew) = served.work, earlier.slot == slot {
            // It was stopped along with others while somebody waited for its start: this is what is waited for now.
            self.served?.work = .starting(ref, isNew: isNew)
        }
        report(.childStarting(ref))
        actions.push(.start(ref))
    }

    /// Sees to what has waited for the supervisor to have nothing else to do.
    private mutating func settle(at now: Duration) {
        guard phase == .running else { return }
        if !significantEnds.isEmpty {
            // A strategy may have brought it back meanwhile.
            let ended = significantEnds.last { slots[$0.slot] == nil || isCurrent($0) }
            significantEnds = []
            if let ended, endsWithoutSignificant { return beginStop(.autoShutdown(ended), at: now) }
        }
        serveCalls(at: now)
    }

    /// Whether the end of one significant child more is the end of the supervisor.
    var endsWithoutSignificant: Bool {
        switch autoShutdown {
        case .never: false
        case .anySignificant: true
        case .allSignificant: significantChildrenLeft == 0
        }
    }
}

// MARK: - What others may know

extension SupervisorMachine {
    func standings(limit: Int) -> [(slot: Int, standing: Standing)] {
        slots.prefix(limit).map { ($0.number, standing($0.element, of: $0.number)) }
    }

    func standing(_ child: Slot, of slot: Int) -> Standing {
        let until = child.state == .waiting ? dueTimes[slot] : nil
        return Standing(state: child.state, since: child.since, generation: child.generation, until: until)
    }

    func isDeclared(_ slot: Int) -> Bool { slot < declaredCount }

    var condition: Condition {
        switch phase {
        case .idle: .idle
        case .starting: hasStarted ? .restarting : .starting
        case .running: hasStarted ? .running : .starting
        case .stopping(.restart, _): hasStarted ? .restarting : .starting
        case .stopping(.end, _): .stopping
        case .ended: .ended
        }
    }

    var focus: Focus? {
        if let stop { return .stop(slot: stop.ref.slot, deadline: stop.deadline) }
        guard case .starting = phase else { return nil }
        return slots.first(from: 0) { $0.state == .starting || $0.state == .waiting }.map { .start(slot: $0) }
    }
}

extension ChildState {
    /// Whether it has ended in a way after which it is not started again by itself.
    fileprivate var isOver: Bool {
        switch self {
        case .terminated, .done, .givenUp: true
        case .unstarted, .starting, .running, .waiting, .stopping, .stopped, .abandoned: false
        }
    }

    /// Whether a child of this state is started where a whole row is.
    var isStartedWithOthers: Bool {
        switch self {
        case .unstarted, .waiting, .stopped, .done: true
        case .starting, .running, .stopping, .terminated, .givenUp, .abandoned: false
        }
    }
}
