/// The decisions of one supervisor, and nothing else.
///
/// Inputs say what happened and when; each returns what is to be done, in order. There is no task, clock,
/// continuation or log in here, so that every rule can be tested as a value. Children are numbers: a slot in
/// the list of specs, and a generation that rises with each start, so that news of an earlier copy is known
/// for what it is and ignored. Time is the duration since some fixed moment of the caller's choice.
struct SupervisorMachine {
    /// One copy of a child.
    struct Ref: Hashable {
        var slot: Int
        var generation: Int
    }

    /// How a child's body ended.
    enum Exit: Equatable {
        case returned
        case threw
        /// It threw a `CancellationError`. When nobody asked for that, it is a failure like any other.
        case cancelled
        /// It ended, but something below it still runs: another copy must not be started beside that.
        case leftRunning
    }

    /// Why the supervisor stops.
    enum StopReason: Equatable {
        case requested
        case startFailed(Ref)
        case gaveUp(Ref)
        case leftRunning(Ref)
    }

    /// What was decided or found out, one value for each.
    enum Decision: Equatable {
        case starting
        case started
        case childStarting(Ref)
        case childStarted(Ref)
        case childIgnored(Ref)
        case childEnded(Ref, Exit)
        case childRestarting(Ref)
        /// A strategy stopped a temporary child, which is not started again.
        case childDropped(Ref)
        case stopping(StopReason)
        case childStopping(Ref)
        case childOverdue(Ref, after: Duration)
        case childStopped(Ref, Exit)
        case childAbandoned(Ref, after: Duration)
        case stopped
    }

    /// What the caller is to do.
    enum Action: Equatable {
        /// Start this copy. Its start or its end is reported back.
        case start(Ref)
        /// Tell this copy that it is to stop.
        case ask(Ref)
        /// Tell this copy that it is to stop, and cancel it.
        case cancel(Ref)
        /// Make this known.
        case report(Decision)
        /// Nothing runs any more but the children that were abandoned.
        case finish(StopReason, abandoned: [Ref])
    }

    private enum State: Equatable {
        /// Not running: not yet started, or ended for good.
        case down
        case starting
        case running
        case stopping
        case abandoned
    }

    private struct Slot {
        let restart: Restart
        let shutdown: Shutdown
        var state = State.down
        var generation = 0

        /// Whether it is a temporary child that has been: it is not started a second time.
        var isForgotten: Bool { restart == .temporary && generation > 0 }
    }

    private enum Phase: Equatable {
        case idle
        /// Bringing up the slots from `next` on, one at a time.
        case starting(next: Int)
        case running
        /// Taking down the slots from the last; `current` is the one being waited for.
        case stopping(Purpose, current: Stop?)
        case ended
    }

    /// Why slots are taken down.
    private enum Purpose: Equatable {
        /// To end: all of them.
        case end(StopReason)
        /// To start them again: those from here on.
        case restart(from: Int)

        var first: Int {
            if case .restart(let first) = self { first } else { 0 }
        }
    }

    /// One child being stopped.
    private struct Stop: Equatable {
        var ref: Ref
        var since: Duration
        var deadline: Duration?
        /// How long it may go on after the deadline at which it is cancelled; nil once it has been cancelled.
        var grace: Duration?
    }

    private let strategy: Strategy
    private var slots: [Slot]
    private var phase = Phase.idle
    private var hasStarted = false
    private var window: RestartWindow
    /// How many slots are in `.starting`.
    private var startsUnderWay = 0

    init(
        strategy: Strategy,
        intensity: RestartIntensity,
        children: [(restart: Restart, shutdown: Shutdown)]
    ) {
        self.strategy = strategy
        slots = children.map { Slot(restart: $0.restart, shutdown: $0.shutdown) }
        window = RestartWindow(intensity)
    }

    /// When ``deadlineReached(at:)`` is to be called at the latest, if nothing else happens before.
    var deadline: Duration? {
        if case .stopping(_, let stop?) = phase { stop.deadline } else { nil }
    }
}

// MARK: - Inputs

extension SupervisorMachine {
    /// Begins to start the children, unless a stop came first.
    mutating func start() -> [Action] {
        guard phase == .idle else { return [] }
        phase = .starting(next: 0)
        return [.report(.starting)] + startNext()
    }

    /// The child has said that it has started.
    mutating func childStarted(_ ref: Ref) -> [Action] {
        guard isCurrent(ref), slots[ref.slot].state == .starting else { return [] }
        slots[ref.slot].state = .running
        startsUnderWay -= 1
        return [.report(.childStarted(ref))] + startNext()
    }

    /// The child's body has ended.
    mutating func childEnded(_ ref: Ref, _ exit: Exit, at now: Duration) -> [Action] {
        guard isCurrent(ref) else { return [] }
        switch slots[ref.slot].state {
        case .down:
            return []
        case .starting, .running:
            return endedByItself(ref, exit, at: now)
        case .stopping:
            return stopped(ref, exit, at: now)
        case .abandoned:
            // Better late than never: it no longer counts as left running.
            setDown(ref, exit)
            return [.report(.childStopped(ref, exit))]
        }
    }

    /// The supervisor is to stop.
    ///
    /// Honoured in every phase, before the start included.
    mutating func stopRequested(at now: Duration) -> [Action] {
        beginStop(.requested, at: now)
    }

    /// Time has passed; perhaps ``deadline``.
    mutating func deadlineReached(at now: Duration) -> [Action] {
        guard case .stopping(let purpose, var stop?) = phase, let deadline = stop.deadline, now >= deadline
        else { return [] }
        if let grace = stop.grace {
            stop.deadline = now + grace
            stop.grace = nil
            phase = .stopping(purpose, current: stop)
            return [.report(.childOverdue(stop.ref, after: now - stop.since)), .cancel(stop.ref)]
        }
        slots[stop.ref.slot].state = .abandoned
        return [.report(.childAbandoned(stop.ref, after: now - stop.since))]
            + endUnlessEnding(.leftRunning(stop.ref)) + stopNext(at: now)
    }
}

// MARK: - Rules

extension SupervisorMachine {
    private func isCurrent(_ ref: Ref) -> Bool {
        slots[ref.slot].generation == ref.generation
    }

    private mutating func setDown(_ ref: Ref, _ exit: Exit) {
        if slots[ref.slot].state == .starting { startsUnderWay -= 1 }
        // What is left running below a child that has ended is as abandoned as the child would have been.
        slots[ref.slot].state = exit == .leftRunning ? .abandoned : .down
    }

    /// Starts the next child that is to be up, once everything above it is.
    private mutating func startNext() -> [Action] {
        guard case .starting(let next) = phase, startsUnderWay == 0 else { return [] }
        guard let slot = (next..<slots.count).first(where: { !slots[$0].isForgotten }) else {
            phase = .running
            guard !hasStarted else { return [] }
            hasStarted = true
            return [.report(.started)]
        }
        phase = .starting(next: slot + 1)
        return start(slot: slot)
    }

    private mutating func start(slot: Int) -> [Action] {
        slots[slot].state = .starting
        slots[slot].generation += 1
        startsUnderWay += 1
        let ref = Ref(slot: slot, generation: slots[slot].generation)
        return [.report(.childStarting(ref)), .start(ref)]
    }

    private mutating func endedByItself(_ ref: Ref, _ exit: Exit, at now: Duration) -> [Action] {
        let slot = slots[ref.slot]
        let wasStarting = slot.state == .starting
        setDown(ref, exit)

        if wasStarting, exit == .returned {
            return [.report(.childIgnored(ref))] + startNext()
        }
        let ended = Action.report(.childEnded(ref, exit))
        switch phase {
        case .stopping(.end, _):
            return [ended]
        case .stopping(.restart(let first), _) where ref.slot >= first && exit != .leftRunning:
            // It is started again with the others, and whether it would have been by itself does not matter.
            return [ended]
        default:
            break
        }
        if exit == .leftRunning {
            return [ended] + beginStop(.leftRunning(ref), at: now)
        }
        if wasStarting, ref.generation == 1 {
            return [ended] + beginStop(.startFailed(ref), at: now)
        }
        guard slot.restart.appliesAfter(exit) else {
            return [ended] + startNext()
        }
        guard window.admitRestart(at: now) else {
            return [ended] + beginStop(.gaveUp(ref), at: now)
        }
        return [ended, .report(.childRestarting(ref))] + restart(ref, at: now)
    }

    /// A child that was told to stop has ended.
    private mutating func stopped(_ ref: Ref, _ exit: Exit, at now: Duration) -> [Action] {
        setDown(ref, exit)
        var actions = [Action.report(.childStopped(ref, exit))]
        if case .stopping(.restart, _) = phase, slots[ref.slot].isForgotten {
            actions.append(.report(.childDropped(ref)))
        }
        if exit == .leftRunning { actions += endUnlessEnding(.leftRunning(ref)) }
        return actions + stopNext(at: now)
    }

    /// Starts a failed child again, and with it those that the strategy couples to it.
    private mutating func restart(_ ref: Ref, at now: Duration) -> [Action] {
        let first =
            switch strategy {
            case .oneForOne, .restForOne: ref.slot
            case .oneForAll: 0
            }
        switch phase {
        case .stopping(.restart(let other), let current):
            // One above those that are being taken down: it, and what lies between, goes down with them.
            phase = .stopping(.restart(from: min(first, other)), current: current)
            return []
        default:
            guard strategy != .oneForOne else { return start(slot: ref.slot) }
            phase = .stopping(.restart(from: first), current: nil)
            return stopNext(at: now)
        }
    }

    private mutating func beginStop(_ reason: StopReason, at now: Duration) -> [Action] {
        switch phase {
        case .ended, .stopping(.end, _):
            return []
        case .stopping(.restart, let current):
            let actions = endUnlessEnding(reason)
            return current == nil ? actions + stopNext(at: now) : actions
        case .idle, .starting, .running:
            phase = .stopping(.end(reason), current: nil)
            return [.report(.stopping(reason))] + stopNext(at: now)
        }
    }

    /// Turns a stop that was for a restart into one for good, from where it is.
    private mutating func endUnlessEnding(_ reason: StopReason) -> [Action] {
        guard case .stopping(.restart, let current) = phase else { return [] }
        phase = .stopping(.end(reason), current: current)
        return [.report(.stopping(reason))]
    }

    /// Goes on to the last child that is still up, or ends when there is none.
    private mutating func stopNext(at now: Duration) -> [Action] {
        guard case .stopping(let purpose, let previous) = phase else { return [] }
        guard let slot = lastUp(in: purpose.first..<(previous?.ref.slot ?? slots.count)) else {
            switch purpose {
            case .end(let reason):
                phase = .ended
                return [.report(.stopped), .finish(reason, abandoned: abandoned)]
            case .restart(let first):
                phase = .starting(next: first)
                return startNext()
            }
        }
        let ref = Ref(slot: slot, generation: slots[slot].generation)
        let wasStarting = slots[slot].state == .starting
        if wasStarting { startsUnderWay -= 1 }
        slots[slot].state = .stopping

        var stop = Stop(ref: ref, since: now, deadline: slots[slot].shutdown.limit.map { now + $0 })
        let asks: Bool
        if case .graceful = slots[slot].shutdown { asks = !wasStarting } else { asks = false }
        if asks { stop.grace = Shutdown.cancellationGrace }
        phase = .stopping(purpose, current: stop)
        return [.report(.childStopping(ref)), asks ? .ask(ref) : .cancel(ref)]
    }

    /// The last child that is up among some slots.
    ///
    /// Not by a slice of the array held across a change: that would have it copied whole.
    private func lastUp(in range: Range<Int>) -> Int? {
        range.last { slots[$0].state == .starting || slots[$0].state == .running }
    }

    private var abandoned: [Ref] {
        slots.indices.filter { slots[$0].state == .abandoned }
            .map { Ref(slot: $0, generation: slots[$0].generation) }
    }
}

extension Restart {
    /// Whether a child of this kind is started again after it ended that way.
    func appliesAfter(_ exit: SupervisorMachine.Exit) -> Bool {
        switch self {
        case .permanent: true
        case .transient: exit != .returned
        case .temporary: false
        }
    }
}
