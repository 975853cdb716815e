/// The decisions of a supervisor whose children come and go: all of one kind, in no order, without names.
///
/// See ``Decider`` for what goes in and comes out. Starts do not wait for one another, and in the end all
/// children are told to stop at once. A child that has ended and is not started again is forgotten.
struct DynamicMachine: Decider {
    private struct Slot {
        var state = ChildState.starting
        var since: Duration
        var generation = 1
        /// Who waits for the child to have started.
        var call: Int?
    }

    /// Children that have been told to stop.
    private struct Stop {
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

    private enum Phase {
        case idle
        case running
        case stopping(StopReason, Stop)
        case ended
    }

    private enum Due {
        case restart(ChildRef)
        case stop(ChildRef)
    }

    var actions = Queue<Action>()
    private let rules: ChildRules
    private let maxChildren: Int
    private var phase = Phase.idle
    private var slots = NumberedList<Slot>()
    private var abandonedCount = 0
    private var book: RestartBook
    private var dues = DeadlineQueue<Due>()
    /// When each child that waits is started again, for those who ask.
    private var dueTimes: [Int: Duration] = [:]
    /// Children that somebody wants stopped, and who waits for that.
    private var stops: [Int: (stop: Stop, calls: [Int])] = [:]
    /// What was asked before the start.
    private var early: [(number: Int, call: Call)] = []

    init(rules: ChildRules, intensity: RestartIntensity, maxChildren: Int, seed: UInt64) {
        self.rules = rules
        self.maxChildren = maxChildren
        book = RestartBook(intensity, seed: seed)
    }

    var deadline: Duration? {
        if case .stopping(_, let stop) = phase { stop.deadline } else { dues.earliest }
    }

    private func isCurrent(_ ref: ChildRef) -> Bool {
        slots[ref.slot]?.generation == ref.generation
    }

    private mutating func set(_ slot: Int, _ state: ChildState, at now: Duration) {
        slots.update(slot) { child in
            if child.state == .waiting { dueTimes[slot] = nil }
            if child.state == .abandoned { abandonedCount -= 1 }
            if state == .abandoned { abandonedCount += 1 }
            child.state = state
            child.since = now
        }
    }

    private mutating func forget(_ slot: Int) {
        guard let child = slots.remove(slot) else { return }
        if child.state == .abandoned { abandonedCount -= 1 }
        dueTimes[slot] = nil
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

    private mutating func terminate(_ number: Int, _ slot: Int, at now: Duration) {
        guard let child = slots[slot] else { return refuse(number, .notFound) }
        let ref = ChildRef(slot: slot, generation: child.generation)
        switch child.state {
        case .starting, .running:
            var stop = Stop(rules.shutdown, at: now)
            // A child that has not yet started has nothing to finish.
            if child.state == .starting { stop.grace = nil }
            let asks = stop.grace != nil
            set(slot, .stopping, at: now)
            stops[slot] = (stop, [number])
            if let deadline = stop.deadline { dues.insert(.stop(ref), at: deadline) }
            report(.childStopping(ref))
            actions.push(asks ? .ask(ref) : .cancel(ref))
            answer(child.call, .refused(.startFailed(ref)), in: slot)
        case .stopping:
            stops[slot]?.calls.append(number)
        case .abandoned:
            refuse(number, .abandoned(ref))
        case .waiting, .unstarted, .stopped, .terminated, .done, .givenUp:
            report(.childStopping(ref))
            report(.childStopped(ref, .returned))
            actions.push(.retire(slot: slot))
            forget(slot)
            reply(number, .done)
        }
    }

    private mutating func beginStop(_ reason: StopReason, at now: Duration) {
        switch phase {
        case .stopping, .ended: return
        case .idle, .running: break
        }
        let stop = Stop(rules.shutdown, at: now)
        phase = .stopping(reason, stop)
        report(.stopping(reason))
        for (number, _) in early { refuse(number, .notRunning) }
        early = []
        for (_, calls) in stops.values {
            for call in calls { refuse(call, .notRunning) }
        }
        stops = [:]
        for case .restart(let ref) in dues.subjects where slots[ref.slot]?.state == .waiting {
            actions.push(.retire(slot: ref.slot))
            forget(ref.slot)
        }
        dues.removeAll()
        if case .gaveUp(let ref, _) = reason {
            actions.push(.retire(slot: ref.slot))
            forget(ref.slot)
        }
        if stop.grace == nil {
            actions.push(.cancelAll)
        } else {
            actions.push(.askAll)
            // A child that has not yet started has nothing to finish.
            for ref in refs(where: { $0.state == .starting }) { actions.push(.cancel(ref)) }
        }
        finishIfEmpty()
    }

    private mutating func stopped(_ ref: ChildRef, _ exit: Exit, at now: Duration) {
        report(.childStopped(ref, exit))
        answer(slots[ref.slot]?.call, .refused(.notRunning), in: ref.slot)
        actions.push(.retire(slot: ref.slot))
        if exit == .leftRunning { set(ref.slot, .abandoned, at: now) } else { forget(ref.slot) }
    }

    /// All children were told to stop, and time is up for those that have not.
    private mutating func overdue(_ reason: StopReason, _ stop: Stop, at now: Duration) {
        guard let deadline = stop.deadline, now >= deadline else { return }
        let late = refs { $0.state != .abandoned }
        if let grace = stop.grace {
            var next = stop
            next.deadline = now + grace
            next.grace = nil
            phase = .stopping(reason, next)
            for ref in late {
                report(.childOverdue(ref, after: now - stop.since))
                actions.push(.cancel(ref))
            }
            return
        }
        for ref in late { abandon(ref, since: stop.since, at: now) }
        finishIfEmpty()
    }

    /// One child was told to stop, and its time is up.
    private mutating func overdue(_ ref: ChildRef, at now: Duration) {
        guard isCurrent(ref), let (stop, calls) = stops[ref.slot] else { return }
        if let grace = stop.grace {
            stops[ref.slot]?.stop.grace = nil
            dues.insert(.stop(ref), at: now + grace)
            report(.childOverdue(ref, after: now - stop.since))
            return actions.push(.cancel(ref))
        }
        stops[ref.slot] = nil
        abandon(ref, since: stop.since, at: now)
        for call in calls { refuse(call, .abandoned(ref)) }
    }

    private mutating func abandon(_ ref: ChildRef, since: Duration, at now: Duration) {
        set(ref.slot, .abandoned, at: now)
        report(.childAbandoned(ref, after: now - since))
        actions.push(.retire(slot: ref.slot))
        answer(slots[ref.slot]?.call, .refused(.notRunning), in: ref.slot)
    }

    private mutating func finishIfEmpty() {
        guard case .stopping(let reason, _) = phase, slots.count == abandonedCount else { return }
        phase = .ended
        report(.stopped)
        actions.push(.finish(reason, abandoned: refs { _ in true }))
    }

    private func refs(where fits: (Slot) -> Bool) -> [ChildRef] {
        var refs: [ChildRef] = []
        slots.forEach { slot, child in
            if fits(child) { refs.append(ChildRef(slot: slot, generation: child.generation)) }
        }
        return refs
    }

    private mutating func answer(_ call: Int?, _ reply: Reply, in slot: Int) {
        guard let call else { return }
        slots.update(slot) { $0.call = nil }
        self.reply(call, reply)
    }

    private mutating func refuse(_ number: Int, _ refusal: Refusal) {
        reply(number, .refused(refusal))
    }
}

// MARK: - What others may know

extension DynamicMachine {
    func standings(limit: Int) -> [(slot: Int, standing: Standing)] {
        slots.prefix(limit).map { ($0.number, standing($0.element, of: $0.number)) }
    }

    private func standing(_ child: Slot, of slot: Int) -> Standing {
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
