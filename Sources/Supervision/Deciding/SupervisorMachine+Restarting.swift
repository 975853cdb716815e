// What follows when a child has ended by itself.

extension SupervisorMachine {
    mutating func endedByItself(
        _ ref: ChildRef,
        _ exit: Exit,
        _ response: FailureResponse,
        at now: Duration
    ) {
        guard let child = slots[ref.slot] else { return }
        let wasStarting = child.state == .starting
        // What is left running below a child that has ended is as abandoned as the child would have been.
        set(ref.slot, exit == .leftRunning ? .abandoned : .done, at: now)

        if wasStarting, exit == .returned {
            report(.childIgnored(ref))
            actions.push(.retire(slot: ref.slot))
            answerStart(of: ref.slot, .ignored)
            forgetIfTemporary(ref.slot)
            return startNext(at: now)
        }
        report(.childEnded(ref, exit), isNeeded: child.rules.isSignificant)
        if case .stopping(.end, _) = phase { return }
        if exit == .leftRunning { return beginStop(.leftRunning(ref), at: now) }
        if exit != .returned {
            switch response {
            case .restart: break
            case .giveUpChild: return giveUp(ref, .response, at: now)
            case .giveUpSupervisor: return beginStop(.gaveUp(ref, .response), at: now)
            }
        }
        if case .stopping(.restart(let first), _) = phase, ref.slot >= first,
            child.rules.restart != .temporary
        {
            // It is started again with the others, and whether it would have been by itself does not matter.
            return
        }
        if wasStarting, served?.work == .starting(ref, isNew: true) {
            actions.push(.retire(slot: ref.slot))
            answerStart(of: ref.slot, .refused(.startFailed(ref)))
            forget(ref.slot)
            return startNext(at: now)
        }
        if wasStarting, served?.work == .starting(ref, isNew: false) {
            set(ref.slot, .terminated, at: now)
            actions.push(.retire(slot: ref.slot))
            answerStart(of: ref.slot, .refused(.startFailed(ref)))
            forgetIfTemporary(ref.slot)
            return startNext(at: now)
        }
        if wasStarting, !hasStarted, !child.hasBeenUp {
            return beginStop(.startFailed(ref), at: now)
        }
        guard child.rules.restart.appliesAfter(exit) else {
            if child.rules.isSignificant { significantEnds.append(ref) }
            actions.push(.retire(slot: ref.slot))
            answerStart(of: ref.slot, .refused(.startFailed(ref)))
            forgetIfTemporary(ref.slot)
            return startNext(at: now)
        }
        let admission = book.admitRestart(
            of: ref.slot,
            child.rules,
            at: now,
            runningSince: wasStarting ? nil : child.since
        )
        switch admission {
        case .now:
            report(.childRestarting(ref, after: .zero))
            // A start that failed while a row was brought up is tried again a turn later, so that calls and a
            // stop are served in between.
            let delay: Duration? = wasStarting && strategy != .oneForOne ? .zero : nil
            restart(ref, after: delay, at: now)
        case .after(let delay):
            report(.childRestarting(ref, after: delay))
            restart(ref, after: delay, at: now)
        case .never(.limit):
            giveUp(ref, .limit, at: now)
        case .never(let cause):
            beginStop(.gaveUp(ref, cause), at: now)
        }
    }

    /// Starts a failed child again, and with it those that the strategy couples to it: at once, or after a time
    /// in which these are down as well.
    private mutating func restart(_ ref: ChildRef, after delay: Duration?, at now: Duration) {
        if let delay {
            set(ref.slot, .waiting, at: now)
            dues.insert(ref, at: now + delay)
            dueTimes[ref.slot] = now + delay
        }
        guard strategy != .oneForOne else {
            if delay == nil { start(slot: ref.slot, at: now) }
            return
        }
        takeDown(from: firstCoupled(to: ref.slot), sparing: delay == nil ? nil : ref.slot, at: now)
    }

    /// Starts the children that have waited for long enough.
    mutating func restartDue(at now: Duration) {
        var first: Int?
        while let ref = dues.popDue(at: now) {
            guard isCurrent(ref), state(ref.slot) == .waiting else { continue }
            if strategy == .oneForOne {
                start(slot: ref.slot, at: now)
            } else {
                set(ref.slot, .stopped, at: now)
                first = min(first ?? .max, firstCoupled(to: ref.slot))
            }
        }
        if let first { takeDown(from: first, at: now) }
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
    ) {
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
            where ref.slot >= first && ref.slot != waiting && state(ref.slot) == .waiting {
                set(ref.slot, .stopped, at: now)
            }
        }
        switch phase {
        case .stopping(.restart(let other), let end):
            // One above those that are being taken down: it, and what lies between, goes down with them.
            phase = .stopping(.restart(from: min(first, other)), before: end)
        default:
            phase = .stopping(.restart(from: first), before: .max)
            stopNext(at: now)
        }
    }

    /// Does without a child from now on.
    private mutating func giveUp(_ ref: ChildRef, _ cause: GiveUpCause, at now: Duration) {
        let isSignificant = slots[ref.slot]?.rules.isSignificant ?? false
        set(ref.slot, .givenUp, at: now)
        report(.childGivenUp(ref, cause))
        actions.push(.retire(slot: ref.slot))
        if isSignificant, endsWithoutSignificant {
            return beginStop(.gaveUp(ref, cause), at: now)
        }
        let isNew = served?.work == .starting(ref, isNew: true)
        answerStart(of: ref.slot, .refused(.startFailed(ref)))
        if isNew { forget(ref.slot) } else { forgetIfTemporary(ref.slot) }
        startNext(at: now)
    }

    /// Takes a temporary child out of the list: once it has ended nothing is known of it.
    mutating func forgetIfTemporary(_ slot: Int) {
        guard let child = slots[slot], child.rules.restart == .temporary, child.state.isDown else { return }
        forget(slot)
    }
}
