/// The decisions of a supervisor whose children come and go: all of one kind, in no order, without names.
///
/// See ``Decider`` for what goes in and comes out. Starts do not wait for one another, and in the end all
/// children are told to stop at once. A child that has ended and is not started again is forgotten.
struct DynamicMachine: Decider {
    struct Slot {
        var state = ChildState.starting
        var since: Duration
        var generation = 1
        /// Who waits for the child to have started.
        var call: Int?
    }

    /// Children that have been told to stop.
    struct Stop {
        var since: Duration
        var deadline: Duration?
        /// How long they may go on after the deadline at which they are cancelled; nil once they have been.
        var grace: Duration?

        init(_ shutdown: Shutdown, at now: Duration) {
            since = now
            deadline = shutdown.limit.map { now + $0 }
            grace = shutdown.asks ? Shutdown.cancellationGrace : nil
        }
    }

    enum Phase {
        case idle
        case running
        case stopping(StopReason, Stop)
        case ended
    }

    enum Due {
        case restart(ChildRef)
        case stop(ChildRef)
    }

    var actions = Queue<Action>()
    var hasAudience = true
    let rules: ChildRules
    let maxChildren: Int
    var phase = Phase.idle
    var slots = NumberedList<Slot>()
    var abandonedCount = 0
    var book: RestartBook
    var dues = DeadlineQueue<Due>()
    /// When each child that waits is started again, for those who ask.
    var dueTimes: [Int: Duration] = [:]
    /// Children that somebody wants stopped, and who waits for that.
    var stops: [Int: (stop: Stop, calls: [Int])] = [:]
    /// What was asked before the start.
    var early: [(number: Int, call: Call)] = []

    init(rules: ChildRules, intensity: RestartIntensity, maxChildren: Int, seed: UInt64) {
        self.rules = rules
        self.maxChildren = maxChildren
        book = RestartBook(intensity, seed: seed)
    }

    var deadline: Duration? {
        if case .stopping(_, let stop) = phase { stop.deadline } else { dues.earliest }
    }

    func isCurrent(_ ref: ChildRef) -> Bool {
        slots.read(ref.slot) { $0.generation } == ref.generation
    }

    mutating func set(_ slot: Int, _ state: ChildState, at now: Duration) {
        slots.update(slot) { child in
            if child.state == .waiting { dueTimes[slot] = nil }
            if child.state == .abandoned { abandonedCount -= 1 }
            if state == .abandoned { abandonedCount += 1 }
            child.state = state
            child.since = now
        }
    }

    mutating func forget(_ slot: Int) {
        guard let child = slots.remove(slot) else { return }
        if child.state == .abandoned { abandonedCount -= 1 }
        if child.state == .waiting { dueTimes[slot] = nil }
        book.forget(slot)
        actions.push(.forget(slot: slot))
    }
}

// MARK: - Inputs

extension DynamicMachine {
    mutating func handle(_ input: Input, at now: Duration) {
        switch input {
        case .start: begin(at: now)
        case .childStarted(let ref): started(ref, at: now)
        case .childEnded(let ref, let exit, let response): ended(ref, exit, response, at: now)
        case .stop: beginStop(.requested, at: now)
        case .time: timePassed(to: now)
        case .call(let number, let call): take(call, number, at: now)
        }
    }

    private mutating func begin(at now: Duration) {
        guard case .idle = phase else { return }
        phase = .running
        report(.starting)
        report(.started)
        for (number, call) in early { take(call, number, at: now) }
        early = []
    }

    private mutating func started(_ ref: ChildRef, at now: Duration) {
        guard isCurrent(ref), let child = slots[ref.slot], child.state == .starting else { return }
        set(ref.slot, .running, at: now)
        report(.childStarted(ref))
        answer(child.call, .started(ref), in: ref.slot)
    }

    private mutating func ended(
        _ ref: ChildRef,
        _ exit: Exit,
        _ response: FailureResponse,
        at now: Duration
    ) {
        guard isCurrent(ref), let child = slots[ref.slot] else { return }
        switch (phase, child.state) {
        case (.ended, _), (_, .abandoned):
            // Better late than never; unless what runs below it still does.
            report(.childStopped(ref, exit))
            guard exit != .leftRunning else { return }
            forget(ref.slot)
            finishIfEmpty()
        case (.stopping, _):
            stopped(ref, exit, at: now)
            finishIfEmpty()
        case (_, .stopping):
            let calls = stops.removeValue(forKey: ref.slot)?.calls ?? []
            stopped(ref, exit, at: now)
            for call in calls { reply(call, exit == .leftRunning ? .refused(.abandoned(ref)) : .done) }
        default:
            endedByItself(ref, child, exit, response, at: now)
        }
    }

    mutating func allTold(at now: Duration) {
        // A million children are not told in a moment, and the last one is to have its time too.
        guard case .stopping(let reason, var stop) = phase, let deadline = stop.deadline else { return }
        stop.deadline = deadline + (now - stop.since)
        phase = .stopping(reason, stop)
    }

    private mutating func timePassed(to now: Duration) {
        if case .stopping(let reason, let stop) = phase { return overdue(reason, stop, at: now) }
        while let due = dues.popDue(at: now) {
            switch due {
            case .restart(let ref):
                guard isCurrent(ref), slots[ref.slot]?.state == .waiting else { continue }
                restart(ref, at: now)
            case .stop(let ref):
                overdue(ref, at: now)
            }
        }
    }

    private mutating func take(_ call: Call, _ number: Int, at now: Duration) {
        switch phase {
        case .idle:
            return early.append((number, call))
        case .stopping, .ended:
            return refuse(number, .notRunning)
        case .running:
            break
        }
        switch call {
        case .start:
            guard slots.count < maxChildren else { return refuse(number, .tooManyChildren) }
            let slot = slots.append(Slot(since: now, call: number))
            let ref = ChildRef(slot: slot, generation: 1)
            actions.push(.adopt(call: number, slot: slot))
            report(.childStarting(ref))
            actions.push(.start(ref))
        case .terminate(.slot(let slot)):
            terminate(number, slot, at: now)
        case .find(.slot(let slot)):
            guard let child = slots[slot] else { return refuse(number, .notFound) }
            reply(number, .found(slot: slot, standing(child, of: slot)))
        case .read:
            reply(number, .done)
        case .terminate(.id), .find(.id), .restart, .delete:
            // Its children have no names, and none that has ended is left.
            refuse(number, .notFound)
        }
    }

    mutating func withdraw(_ number: Int) {
        early.removeAll { $0.number == number }
    }
}

// MARK: - Rules

extension DynamicMachine {
    private mutating func endedByItself(
        _ ref: ChildRef,
        _ child: Slot,
        _ exit: Exit,
        _ response: FailureResponse,
        at now: Duration
    ) {
        if child.state == .starting, exit == .returned {
            report(.childIgnored(ref))
            actions.push(.retire(slot: ref.slot))
            answer(child.call, .ignored, in: ref.slot)
            return forget(ref.slot)
        }
        report(.childEnded(ref, exit))
        answer(child.call, .refused(.startFailed(ref)), in: ref.slot)
        if exit == .leftRunning {
            set(ref.slot, .abandoned, at: now)
            return beginStop(.leftRunning(ref), at: now)
        }
        if exit != .returned, response == .giveUpSupervisor {
            // The reason of the stop names the child: it is forgotten with all others, at the end.
            set(ref.slot, .givenUp, at: now)
            return beginStop(.gaveUp(ref, .response), at: now)
        }
        if exit != .returned, response == .giveUpChild {
            return giveUp(ref, .response)
        }
        // A child that somebody waited for in vain is not tried again behind his back.
        guard child.call == nil, rules.restart.appliesAfter(exit) else {
            actions.push(.retire(slot: ref.slot))
            return forget(ref.slot)
        }
        let admission = book.admitRestart(
            of: ref.slot,
            rules,
            at: now,
            runningSince: child.state == .running ? child.since : nil
        )
        switch admission {
        case .now:
            report(.childRestarting(ref, after: .zero))
            restart(ref, at: now)
        case .after(let delay):
            set(ref.slot, .waiting, at: now)
            dues.insert(.restart(ref), at: now + delay)
            dueTimes[ref.slot] = now + delay
            report(.childRestarting(ref, after: delay))
        case .never(.limit):
            giveUp(ref, .limit)
        case .never(let cause):
            set(ref.slot, .givenUp, at: now)
            beginStop(.gaveUp(ref, cause), at: now)
        }
    }

    private mutating func giveUp(_ ref: ChildRef, _ cause: GiveUpCause) {
        report(.childGivenUp(ref, cause))
        actions.push(.retire(slot: ref.slot))
        forget(ref.slot)
    }

    private mutating func restart(_ ref: ChildRef, at now: Duration) {
        set(ref.slot, .starting, at: now)
        slots.update(ref.slot) { $0.generation += 1 }
        let next = ChildRef(slot: ref.slot, generation: ref.generation + 1)
        report(.childStarting(next))
        actions.push(.start(next))
    }

    mutating func answer(_ call: Int?, _ reply: Reply, in slot: Int) {
        guard let call else { return }
        slots.update(slot) { $0.call = nil }
        self.reply(call, reply)
    }

    mutating func refuse(_ number: Int, _ refusal: Refusal) {
        reply(number, .refused(refusal))
    }
}

// MARK: - What others may know

extension DynamicMachine {
    func standings(limit: Int) -> [(slot: Int, standing: Standing)] {
        slots.prefix(limit).map { ($0.number, standing($0.element, of: $0.number)) }
    }

    func standing(_ child: Slot, of slot: Int) -> Standing {
        let until = child.state == .waiting ? dueTimes[slot] : nil
        return Standing(state: child.state, since: child.since, generation: child.generation, until: until)
    }

    func isDeclared(_ slot: Int) -> Bool { false }

    var focus: Focus? { nil }

    var condition: Condition {
        switch phase {
        case .idle: .idle
        case .running: .running
        case .stopping: .stopping
        case .ended: .ended
        }
    }
}
