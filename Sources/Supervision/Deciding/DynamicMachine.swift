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

    private mutating func forget(_ slot: Int) -> [Action] {
        guard let child = slots.remove(slot) else { return [] }
        if child.state == .abandoned { abandonedCount -= 1 }
        dueTimes[slot] = nil
        book.forget(slot)
        return [.forget(slot: slot)]
    }
}

// MARK: - Inputs

extension DynamicMachine {
    mutating func start(at now: Duration) -> [Action] {
        guard case .idle = phase else { return [] }
        phase = .running
        var actions: [Action] = [.report(.starting), .report(.started)]
        for (number, call) in early { actions += self.call(number, call, at: now) }
        early = []
        return actions
    }

    mutating func childStarted(_ ref: ChildRef, at now: Duration) -> [Action] {
        guard isCurrent(ref), let child = slots[ref.slot], child.state == .starting else { return [] }
        set(ref.slot, .running, at: now)
        return [.report(.childStarted(ref))] + answer(child.call, .started(ref), in: ref.slot)
    }

    mutating func childEnded(
        _ ref: ChildRef,
        _ exit: Exit,
        response: FailureResponse = .restart,
        at now: Duration
    ) -> [Action] {
        guard isCurrent(ref), let child = slots[ref.slot] else { return [] }
        switch (phase, child.state) {
        case (.ended, _), (_, .abandoned):
            // Better late than never; unless what runs below it still does.
            let ended = [Action.report(.childStopped(ref, exit))]
            return exit == .leftRunning ? ended : ended + forget(ref.slot) + finishIfEmpty()
        case (.stopping, _):
            return stopped(ref, exit, at: now) + finishIfEmpty()
        case (_, .stopping):
            let calls = stops.removeValue(forKey: ref.slot)?.calls ?? []
            let reply = exit == .leftRunning ? Reply.refused(.abandoned(ref)) : .done
            return stopped(ref, exit, at: now) + calls.map { .reply(call: $0, reply) }
        default:
            return endedByItself(ref, child, exit, response, at: now)
        }
    }

    mutating func stopRequested(at now: Duration) -> [Action] {
        beginStop(.requested, at: now)
    }

    mutating func allTold(at now: Duration) {
        // A million children are not told in a moment, and the last one is to have its time too.
        guard case .stopping(let reason, var stop) = phase, let deadline = stop.deadline else { return }
        stop.deadline = deadline + (now - stop.since)
        phase = .stopping(reason, stop)
    }

    mutating func deadlineReached(at now: Duration) -> [Action] {
        if case .stopping(let reason, let stop) = phase { return overdue(reason, stop, at: now) }
        var actions: [Action] = []
        while let due = dues.popDue(at: now) {
            switch due {
            case .restart(let ref):
                guard isCurrent(ref), slots[ref.slot]?.state == .waiting else { continue }
                actions += restart(ref, at: now)
            case .stop(let ref):
                actions += overdue(ref, at: now)
            }
        }
        return actions
    }

    mutating func call(_ number: Int, _ call: Call, at now: Duration) -> [Action] {
        switch phase {
        case .idle:
            early.append((number, call))
            return []
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
            return [.adopt(call: number, slot: slot), .report(.childStarting(ref)), .start(ref)]
        case .terminate(.slot(let slot)):
            return terminate(number, slot, at: now)
        case .find(.slot(let slot)):
            guard let child = slots[slot] else { return refuse(number, .notFound) }
            return [.reply(call: number, .found(slot: slot, standing(child, of: slot)))]
        case .read:
            return [.reply(call: number, .done)]
        case .terminate(.id), .find(.id), .restart, .delete:
            // Its children have no names, and none that has ended is left.
            return refuse(number, .notFound)
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
    ) -> [Action] {
        if child.state == .starting, exit == .returned {
            return [.report(.childIgnored(ref)), .retire(slot: ref.slot)]
                + answer(child.call, .ignored, in: ref.slot) + forget(ref.slot)
        }
        let failed = answer(child.call, .refused(.startFailed(ref)), in: ref.slot)
        let ended = [Action.report(.childEnded(ref, exit))] + failed
        if exit == .leftRunning {
            set(ref.slot, .abandoned, at: now)
            return ended + beginStop(.leftRunning(ref), at: now)
        }
        if exit != .returned, response == .giveUpSupervisor {
            // The reason of the stop names the child: it is forgotten with all others, at the end.
            set(ref.slot, .givenUp, at: now)
            return ended + beginStop(.gaveUp(ref, .response), at: now)
        }
        if exit != .returned, response == .giveUpChild {
            return ended + [.report(.childGivenUp(ref, .response)), .retire(slot: ref.slot)]
                + forget(ref.slot)
        }
        guard failed.isEmpty, rules.restart.appliesAfter(exit) else {
            return ended + [.retire(slot: ref.slot)] + forget(ref.slot)
        }
        let admission = book.admitRestart(
            of: ref.slot,
            rules,
            at: now,
            runningSince: child.state == .running ? child.since : nil
        )
        switch admission {
        case .now:
            return ended + [.report(.childRestarting(ref, after: .zero))] + restart(ref, at: now)
        case .after(let delay):
            set(ref.slot, .waiting, at: now)
            dues.insert(.restart(ref), at: now + delay)
            dueTimes[ref.slot] = now + delay
            return ended + [.report(.childRestarting(ref, after: delay))]
        case .never(.limit):
            return ended + [.report(.childGivenUp(ref, .limit)), .retire(slot: ref.slot)] + forget(ref.slot)
        case .never(let cause):
            set(ref.slot, .givenUp, at: now)
            return ended + beginStop(.gaveUp(ref, cause), at: now)
        }
    }

    private mutating func restart(_ ref: ChildRef, at now: Duration) -> [Action] {
        set(ref.slot, .starting, at: now)
        slots.update(ref.slot) { $0.generation += 1 }
        let next = ChildRef(slot: ref.slot, generation: ref.generation + 1)
        return [.report(.childStarting(next)), .start(next)]
    }

    private mutating func terminate(_ number: Int, _ slot: Int, at now: Duration) -> [Action] {
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
            return [.report(.childStopping(ref)), asks ? .ask(ref) : .cancel(ref)]
                + answer(child.call, .refused(.startFailed(ref)), in: slot)
        case .stopping:
            stops[slot]?.calls.append(number)
            return []
        case .abandoned:
            return refuse(number, .abandoned(ref))
        case .waiting, .unstarted, .stopped, .terminated, .done, .givenUp:
            return [
                .report(.childStopping(ref)), .report(.childStopped(ref, .returned)), .retire(slot: slot),
            ] + forget(slot) + [.reply(call: number, .done)]
        }
    }

    private mutating func beginStop(_ reason: StopReason, at now: Duration) -> [Action] {
        switch phase {
        case .stopping, .ended: return []
        case .idle, .running: break
        }
        let stop = Stop(rules.shutdown, at: now)
        phase = .stopping(reason, stop)
        var actions: [Action] = [.report(.stopping(reason))]
        for (number, _) in early { actions += refuse(number, .notRunning) }
        early = []
        for (_, calls) in stops.values {
            actions += calls.map { .reply(call: $0, .refused(.notRunning)) }
        }
        stops = [:]
        for case .restart(let ref) in dues.subjects where slots[ref.slot]?.state == .waiting {
            actions += [.retire(slot: ref.slot)] + forget(ref.slot)
        }
        dues.removeAll()
        if case .gaveUp(let ref, _) = reason { actions += [.retire(slot: ref.slot)] + forget(ref.slot) }
        if stop.grace == nil {
            actions.append(.cancelAll)
        } else {
            actions.append(.askAll)
            // A child that has not yet started has nothing to finish.
            slots.forEach { slot, child in
                guard child.state == .starting else { return }
                actions.append(.cancel(ChildRef(slot: slot, generation: child.generation)))
            }
        }
        return actions + finishIfEmpty()
    }

    private mutating func stopped(_ ref: ChildRef, _ exit: Exit, at now: Duration) -> [Action] {
        let failed = answer(slots[ref.slot]?.call, .refused(.notRunning), in: ref.slot)
        let actions = [Action.report(.childStopped(ref, exit))] + failed + [.retire(slot: ref.slot)]
        guard exit == .leftRunning else { return actions + forget(ref.slot) }
        set(ref.slot, .abandoned, at: now)
        return actions
    }

    /// All children were told to stop, and time is up for those that have not.
    private mutating func overdue(_ reason: StopReason, _ stop: Stop, at now: Duration) -> [Action] {
        guard let deadline = stop.deadline, now >= deadline else { return [] }
        var actions: [Action] = []
        var late: [ChildRef] = []
        slots.forEach { slot, child in
            if child.state != .abandoned { late.append(ChildRef(slot: slot, generation: child.generation)) }
        }
        if let grace = stop.grace {
            var next = stop
            next.deadline = now + grace
            next.grace = nil
            phase = .stopping(reason, next)
            for ref in late {
                actions += [.report(.childOverdue(ref, after: now - stop.since)), .cancel(ref)]
            }
            return actions
        }
        for ref in late { actions += abandon(ref, since: stop.since, at: now) }
        return actions + finishIfEmpty()
    }

    /// One child was told to stop, and its time is up.
    private mutating func overdue(_ ref: ChildRef, at now: Duration) -> [Action] {
        guard isCurrent(ref), let (stop, calls) = stops[ref.slot] else { return [] }
        if let grace = stop.grace {
            stops[ref.slot]?.stop.grace = nil
            dues.insert(.stop(ref), at: now + grace)
            return [.report(.childOverdue(ref, after: now - stop.since)), .cancel(ref)]
        }
        stops[ref.slot] = nil
        return abandon(ref, since: stop.since, at: now)
            + calls.map { .reply(call: $0, .refused(.abandoned(ref))) }
    }

    private mutating func abandon(_ ref: ChildRef, since: Duration, at now: Duration) -> [Action] {
        let failed = answer(slots[ref.slot]?.call, .refused(.notRunning), in: ref.slot)
        set(ref.slot, .abandoned, at: now)
        return [.report(.childAbandoned(ref, after: now - since)), .retire(slot: ref.slot)] + failed
    }

    private mutating func finishIfEmpty() -> [Action] {
        guard case .stopping(let reason, _) = phase, slots.count == abandonedCount else { return [] }
        phase = .ended
        var abandoned: [ChildRef] = []
        slots.forEach { abandoned.append(ChildRef(slot: $0, generation: $1.generation)) }
        return [.report(.stopped), .finish(reason, abandoned: abandoned)]
    }

    private mutating func answer(_ call: Int?, _ reply: Reply, in slot: Int) -> [Action] {
        guard let call else { return [] }
        slots.update(slot) { $0.call = nil }
        return [.reply(call: call, reply)]
    }

    private func refuse(_ number: Int, _ refusal: Refusal) -> [Action] {
        [.reply(call: number, .refused(refusal))]
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
