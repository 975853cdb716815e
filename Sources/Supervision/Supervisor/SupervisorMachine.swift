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
    }

    private enum Phase: Equatable {
        case idle
        /// Bringing up the slots from `next` on, one at a time.
        case starting(next: Int)
        case running
        /// Taking down the slots from the last; `current` is the one being waited for.
        case stopping(StopReason, current: Stop?)
        case ended
    }

    /// One child being stopped.
    private struct Stop: Equatable {
        var ref: Ref
        var since: Duration
        var deadline: Duration?
        /// How long it may go on after the deadline at which it is cancelled; nil once it has been cancelled.
        var grace: Duration?
    }

    private var slots: [Slot]
    private var phase = Phase.idle
    private var window: RestartWindow
    /// How many slots are in `.starting`.
    private var startsUnderWay = 0

    init(intensity: RestartIntensity, children: [(restart: Restart, shutdown: Shutdown)]) {
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
            setDown(ref, exit)
            return [.report(.childStopped(ref, exit))] + stopNext(at: now)
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
        guard case .stopping(let reason, var stop?) = phase, let deadline = stop.deadline, now >= deadline
        else {
            return []
        }
        if let grace = stop.grace {
            stop.deadline = now + grace
            stop.grace = nil
            phase = .stopping(reason, current: stop)
            return [.report(.childOverdue(stop.ref, after: now - stop.since)), .cancel(stop.ref)]
        }
        slots[stop.ref.slot].state = .abandoned
        return [.report(.childAbandoned(stop.ref, after: now - stop.since))] + stopNext(at: now)
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

    /// Starts the next child of the initial start, once everything above it is up.
    private mutating func startNext() -> [Action] {
        guard case .starting(let next) = phase, startsUnderWay == 0 else { return [] }
        guard next < slots.count else {
            phase = .running
            return [.report(.started)]
        }
        phase = .starting(next: next + 1)
        return start(slot: next)
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
        if case .stopping = phase {
            return [ended]
        }
        if exit == .leftRunning {
            return [ended] + beginStop(.leftRunning(ref), at: now)
        }
        if wasStarting, ref.generation == 1, case .starting = phase {
            return [ended] + beginStop(.startFailed(ref), at: now)
        }
        guard slot.restart.appliesAfter(exit) else {
            return [ended] + startNext()
        }
        guard window.admitRestart(at: now) else {
            return [ended] + beginStop(.gaveUp(ref), at: now)
        }
        return [ended, .report(.childRestarting(ref))] + start(slot: ref.slot)
    }

    private mutating func beginStop(_ reason: StopReason, at now: Duration) -> [Action] {
        switch phase {
        case .stopping, .ended:
            return []
        case .idle, .starting, .running:
            phase = .stopping(reason, current: nil)
            return [.report(.stopping(reason))] + stopNext(at: now)
        }
    }

    /// Goes on to the last child that is still up, or ends when there is none.
    private mutating func stopNext(at now: Duration) -> [Action] {
        guard case .stopping(let reason, let previous) = phase else { return [] }
        guard let slot = lastUp(below: previous?.ref.slot ?? slots.count) else {
            phase = .ended
            return [.report(.stopped), .finish(reason, abandoned: abandoned)]
        }
        let ref = Ref(slot: slot, generation: slots[slot].generation)
        let wasStarting = slots[slot].state == .starting
        if wasStarting { startsUnderWay -= 1 }
        slots[slot].state = .stopping

        var stop = Stop(ref: ref, since: now, deadline: slots[slot].shutdown.limit.map { now + $0 })
        let asks: Bool
        if case .graceful = slots[slot].shutdown { asks = !wasStarting } else { asks = false }
        if asks { stop.grace = Shutdown.cancellationGrace }
        phase = .stopping(reason, current: stop)
        return [.report(.childStopping(ref)), asks ? .ask(ref) : .cancel(ref)]
    }

    /// The last child that is up among those before a slot.
    ///
    /// Not by a slice, which would share the array's storage and have the next change copy it whole.
    private func lastUp(below end: Int) -> Int? {
        var slot = end - 1
        while slot >= 0, slots[slot].state != .starting, slots[slot].state != .running { slot -= 1 }
        return slot >= 0 ? slot : nil
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
