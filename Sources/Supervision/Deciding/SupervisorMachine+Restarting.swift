// What follows when a child has ended by itself.

extension SupervisorMachine {
    mutating func endedByItself(
        _ ref: ChildRef,
        _ exit: Exit,
        _ response: FailureResponse,
        at now: Duration
    ) -> [Action] {
        guard let child = slots[ref.slot] else { return [] }
        let wasStarting = child.state == .starting
        // What is left running below a child that has ended is as abandoned as the child would have been.
        set(ref.slot, exit == .leftRunning ? .abandoned : .done, at: now)

        if wasStarting, exit == .returned {
            return [.report(.childIgnored(ref)), .retire(slot: ref.slot)]
                + answerStart(of: ref.slot, .ignored) + forgetIfTemporary(ref.slot) + startNext(at: now)
        }
        let ended = Action.report(.childEnded(ref, exit))
        if case .stopping(.end, _) = phase { return [ended] }
        if exit == .leftRunning { return [ended] + beginStop(.leftRunning(ref), at: now) }
        if exit != .returned {
            switch response {
            case .restart: break
            case .giveUpChild: return [ended] + giveUp(ref, .response, at: now)
            case .giveUpSupervisor: return [ended] + beginStop(.gaveUp(ref, .response), at: now)
            }
        }
        if case .stopping(.restart(let first), _) = phase, ref.slot >= first,
            child.rules.restart != .temporary
        {
            // It is started again with the others, and whether it would have been by itself does not matter.
            return [ended]
        }
        if wasStarting, served?.work == .starting(ref, isNew: true) {
            return [ended, .retire(slot: ref.slot)] + answerStart(of: ref.slot, .refused(.startFailed(ref)))
                + forget(ref.slot) + startNext(at: now)
        }
        if wasStarting, served?.work == .starting(ref, isNew: false) {
            set(ref.slot, .terminated, at: now)
            return [ended, .retire(slot: ref.slot)] + answerStart(of: ref.slot, .refused(.startFailed(ref)))
                + forgetIfTemporary(ref.slot) + startNext(at: now)
        }
        if wasStarting, !hasStarted, !child.hasBeenUp {
            return [ended] + beginStop(.startFailed(ref), at: now)
        }
        guard child.rules.restart.appliesAfter(exit) else {
            if child.rules.isSignificant { significantEnds.append(ref) }
            return [ended, .retire(slot: ref.slot)] + answerStart(of: ref.slot, .refused(.startFailed(ref)))
                + forgetIfTemporary(ref.slot) + startNext(at: now)
        }
        let admission = book.admitRestart(
            of: ref.slot,
            child.rules,
            at: now,
            runningSince: wasStarting ? nil : child.since
        )
        switch admission {
        case .now:
            let restarting = Action.report(.childRestarting(ref, after: .zero))
            // A start that failed while a row was brought up is tried again a turn later, so that calls and a
            // stop are served in between.
            let delay: Duration? = wasStarting && strategy != .oneForOne ? .zero : nil
            return [ended, restarting] + restart(ref, after: delay, at: now)
        case .after(let delay):
            return [ended, .report(.childRestarting(ref, after: delay))] + restart(ref, after: delay, at: now)
        case .never(.limit):
            return [ended] + giveUp(ref, .limit, at: now)
        case .never(let cause):
            return [ended] + beginStop(.gaveUp(ref, cause), at: now)
        }
    }

    /// Starts a failed child again, and with it those that the strategy couples to it: at once, or after a time
    /// in which these are down as well.
    private mutating func restart(_ ref: ChildRef, after delay: Duration?, at now: Duration) -> [Action] {
        if let delay {
            set(ref.slot, .waiting, at: now)
            dues.insert(ref, at: now + delay)
            dueTimes[ref.slot] = now + delay
        }
        guard strategy != .oneForOne else { return delay == nil ? start(slot: ref.slot, at: now) : [] }
        return takeDown(from: firstCoupled(to: ref.slot), sparing: delay == nil ? nil : ref.slot, at: now)
    }

    /// Starts the children that have waited for long enough.
    mutating func restartDue(at now: Duration) -> [Action] {
        var actions: [Action] = []
        var first: Int?
        while let ref = dues.popDue(at: now) {
            guard isCurrent(ref), slots[ref.slot]?.state == .waiting else { continue }
            if strategy == .oneForOne {
                actions += start(slot: ref.slot, at: now)
            } else {
                set(ref.slot, .stopped, at: now)
                first = min(first ?? .max, firstCoupled(to: ref.slot))
            }
        }
        return actions + (first.map { takeDown(from: $0, at: now) } ?? [])
    }

    /// The first of the children that are restarted together with this one.
    func firstCoupled(to slot: Int) -> Int {
        strategy == .oneForAll ? 0 : slot
    }

    /// Takes a row down, to start it again at once, or when the child that is spared has waited.
    private mutating func takeDown(
        from first: Int,
        sparing waiting: Int? = nil,
        at now: Duration
    ) -> [Action] {
        var (first, waiting) = (first, waiting)
        if case .starting(let next) = phase,
            let other = slots.first(from: next, where: { $0.state.isStartedWithOthers }), other < first
        {
            // Those above it are about to be started: it comes with them, and does not wait by itself.
            first = next
            waiting = nil
        }
        // The others of the row that wait are started with it.
        if count(.waiting) > (waiting == nil ? 0 : 1) {
            for ref in dues.subjects
            where ref.slot >= first && ref.slot != waiting && slots[ref.slot]?.state == .waiting {
                set(ref.slot, .stopped, at: now)
            }
        }
        switch phase {
        case .stopping(.restart(let other), let end):
            // One above those that are being taken down: it, and what lies between, goes down with them.
            phase = .stopping(.restart(from: min(first, other)), before: end)
            return []
        default:
            phase = .stopping(.restart(from: first), before: .max)
            return stopNext(at: now)
        }
    }

    /// Does without a child from now on.
    private mutating func giveUp(_ ref: ChildRef, _ cause: GiveUpCause, at now: Duration) -> [Action] {
        let isSignificant = slots[ref.slot]?.rules.isSignificant ?? false
        set(ref.slot, .givenUp, at: now)
        var actions: [Action] = [.report(.childGivenUp(ref, cause)), .retire(slot: ref.slot)]
        if isSignificant, endsWithoutSignificant {
            return actions + beginStop(.gaveUp(ref, cause), at: now)
        }
        let isNew = served?.work == .starting(ref, isNew: true)
        actions += answerStart(of: ref.slot, .refused(.startFailed(ref)))
        return actions + (isNew ? forget(ref.slot) : forgetIfTemporary(ref.slot)) + startNext(at: now)
    }

    /// Takes a temporary child out of the list: once it has ended nothing is known of it.
    mutating func forgetIfTemporary(_ slot: Int) -> [Action] {
        guard let child = slots[slot], child.rules.restart == .temporary, child.state.isDown else {
            return []
        }
        return forget(slot)
    }
}
