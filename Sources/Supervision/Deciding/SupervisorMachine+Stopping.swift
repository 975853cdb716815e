// How children are taken down: one at a time, the last one first.

extension SupervisorMachine {
    mutating func beginStop(_ reason: StopReason, at now: Duration) {
        switch phase {
        case .ended, .stopping(.end, _):
            return
        case .stopping(.restart, let end):
            // What has been taken down for a restart stays down.
            phase = .stopping(.end(reason), before: end)
        case .idle, .starting, .running:
            phase = .stopping(.end(reason), before: .max)
        }
        for ref in dues.subjects where isCurrent(ref) && state(ref.slot) == .waiting {
            set(ref.slot, .stopped, at: now)
        }
        dues.removeAll()
        report(.stopping(reason))
        refuseCalls()
        stopNext(at: now)
    }

    /// Goes on to the last child that is still up, or to what the others were taken down for.
    mutating func stopNext(at now: Duration) {
        guard case .stopping(let purpose, let end) = phase, stop == nil else { return }
        if let slot = slots.last(before: end, from: purpose.first, where: { $0.state.isUp }) {
            phase = .stopping(purpose, before: slot)
            return tellToStop(slot, at: now)
        }
        switch purpose {
        case .end(let reason):
            phase = .ended
            report(.stopped)
            actions.push(.finish(reason))
        case .restart(let first):
            let isWaiting = slots.first(from: first) { $0.state == .waiting } != nil
            phase = isWaiting ? .running : .starting(next: first)
            expectDone(from: first)
            startNext(at: now)
        }
    }

    /// Lets it be known that those that had ended for good come up with their row.
    private mutating func expectDone(from first: Int) {
        guard count(.done) > 0 else { return }
        var next = first
        while let slot = slots.first(from: next, where: { $0.state == .done }) {
            actions.push(.expect(slot: slot))
            next = slot + 1
        }
    }

    mutating func tellToStop(_ slot: Int, at now: Duration) {
        guard let (generation, shutdown) = slots.read(slot, { ($0.generation, $0.rules.shutdown) }) else {
            return
        }
        let ref = ChildRef(slot: slot, generation: generation)
        var stop = Stop(ref: ref, since: now, deadline: shutdown.limit.map { now + $0 })
        if shutdown.asks { stop.grace = Shutdown.cancellationGrace }
        self.stop = stop
        set(slot, .stopping, at: now)
        report(.childStopping(ref))
        actions.push(shutdown.asks ? .ask(ref) : .cancel(ref))
    }

    /// A child that was told to stop has ended.
    mutating func stopped(_ ref: ChildRef, _ exit: Exit, at now: Duration) {
        stop = nil
        let isTerminated = served?.work == .terminating(slot: ref.slot)
        let isLeftRunning = exit == .leftRunning
        set(ref.slot, isLeftRunning ? .abandoned : isTerminated ? .terminated : .stopped, at: now)
        report(.childStopped(ref, exit))
        if isTerminated {
            actions.push(.retire(slot: ref.slot))
            answerTerminate(isLeftRunning ? .refused(.abandoned(ref)) : .done)
            forgetIfTemporary(ref.slot)
        } else if case .stopping(.restart, _) = phase {
            if slots[ref.slot]?.rules.restart == .temporary, !isLeftRunning {
                report(.childDropped(ref))
                actions.push(.retire(slot: ref.slot))
                answerStart(of: ref.slot, .refused(.startFailed(ref)))
                forget(ref.slot)
            }
            if isLeftRunning { return beginStop(.leftRunning(ref), at: now) }
        }
        stopNext(at: now)
    }

    mutating func stopDeadlineReached(at now: Duration) {
        guard var stop, let deadline = stop.deadline, now >= deadline else { return }
        if let grace = stop.grace {
            stop.deadline = now + grace
            stop.grace = nil
            self.stop = stop
            report(.childOverdue(stop.ref, after: now - stop.since))
            return actions.push(.cancel(stop.ref))
        }
        self.stop = nil
        set(stop.ref.slot, .abandoned, at: now)
        report(.childAbandoned(stop.ref, after: now - stop.since))
        actions.push(.retire(slot: stop.ref.slot))
        if served?.work == .terminating(slot: stop.ref.slot) {
            // The others can go on: nobody starts this one again while it runs.
            answerTerminate(.refused(.abandoned(stop.ref)))
        } else if case .stopping(.restart, _) = phase {
            return beginStop(.leftRunning(stop.ref), at: now)
        }
        stopNext(at: now)
    }

    var abandoned: [ChildRef] {
        var refs: [ChildRef] = []
        guard count(.abandoned) > 0 else { return refs }
        slots.forEach { slot, child in
            if child.state == .abandoned { refs.append(ChildRef(slot: slot, generation: child.generation)) }
        }
        return refs
    }
}
