// How children are taken down: each by itself when somebody asks for it, all at once in the end.

extension DynamicMachine {
    mutating func terminate(_ number: Int, _ slot: Int, at now: Duration) {
        guard let child = slots[slot] else { return refuse(number, .notFound) }
        let ref = ChildRef(slot: slot, generation: child.generation)
        switch child.state {
        case .starting, .running:
            let stop = Stop(rules.shutdown, at: now)
            set(slot, .stopping, at: now)
            stops[slot] = (stop, [number])
            if let deadline = stop.deadline { dues.insert(.stop(ref), at: deadline) }
            report(.childStopping(ref))
            actions.push(rules.shutdown.asks ? .ask(ref) : .cancel(ref))
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

    mutating func beginStop(_ reason: StopReason, at now: Duration) {
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
        actions.push(rules.shutdown.asks ? .askAll : .cancelAll)
        finishIfEmpty()
    }

    mutating func stopped(_ ref: ChildRef, _ exit: Exit, at now: Duration) {
        report(.childStopped(ref, exit))
        answer(slots[ref.slot]?.call, .refused(.notRunning), in: ref.slot)
        actions.push(.retire(slot: ref.slot))
        if exit == .leftRunning { set(ref.slot, .abandoned, at: now) } else { forget(ref.slot) }
    }

    /// All children were told to stop, and time is up for those that have not.
    mutating func overdue(_ reason: StopReason, _ stop: Stop, at now: Duration) {
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
    mutating func overdue(_ ref: ChildRef, at now: Duration) {
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

    mutating func abandon(_ ref: ChildRef, since: Duration, at now: Duration) {
        set(ref.slot, .abandoned, at: now)
        report(.childAbandoned(ref, after: now - since))
        actions.push(.retire(slot: ref.slot))
        answer(slots[ref.slot]?.call, .refused(.notRunning), in: ref.slot)
    }

    mutating func finishIfEmpty() {
        guard case .stopping(let reason, _) = phase, slots.count == abandonedCount else { return }
        phase = .ended
        report(.stopped)
        actions.push(.finish(reason))
    }

    var abandoned: [ChildRef] { refs { $0.state == .abandoned } }

    private func refs(where fits: (Slot) -> Bool) -> [ChildRef] {
        var refs: [ChildRef] = []
        slots.forEach { slot, child in
            if fits(child) { refs.append(ChildRef(slot: slot, generation: child.generation)) }
        }
        return refs
    }
}
