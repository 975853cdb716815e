@testable import Supervision

// What a dynamic supervisor does, held against what it may do at that moment.

extension DynamicWorld {
    mutating func follow(_ action: Action, _ machine: DynamicMachine) {
        switch action {
        case .adopt(let call, let slot):
            guard case .start? = callers[call], slot == children.count, count < maxChildren else {
                return fail("adopts \(slot)")
            }
            children.append(Child(since: now, starter: call))
            children[slot].isAlive = false
        case .start(let ref): start(ref)
        case .ask(let ref): tell(ref, isAsked: true)
        case .cancel(let ref): tell(ref, isAsked: false)
        case .expect(let slot): fail("expects \(slot)")
        case .askAll: tellAll(isAsked: true)
        case .cancelAll: tellAll(isAsked: false)
        case .retire(let slot):
            if children[slot].isForgotten { fail("retires \(slot), which is forgotten") }
            if children[slot].state.isUp { fail("retires \(slot), which is up") }
            children[slot].isRetired = true
        case .forget(let slot):
            let child = children[slot]
            if child.isForgotten || child.isAlive || child.state == .abandoned { fail("forgets \(slot)") }
            if !child.isRetired { fail("forgets \(slot) without a word to those who want it") }
            children[slot].isForgotten = true
        case .report(let decision): follow(decision)
        case .reply(let call, let reply): answer(call, reply)
        case .finish(let reason): finish(reason, machine.abandoned)
        }
    }

    private mutating func start(_ ref: ChildRef) {
        let child = children[ref.slot]
        if ending != nil { fail("starts \(ref) while ending") }
        if child.isForgotten { fail("starts \(ref), which is forgotten") }
        if child.isAlive || [.abandoned, .stopping].contains(child.state) {
            fail("has two copies of \(ref.slot)")
        }
        let isFirst = child.starter != nil
        if ref.generation != (isFirst ? 1 : child.generation + 1) { fail("starts \(ref)") }
        if !isFirst, rules.restart == .temporary { fail("brings temporary \(ref.slot) back") }
        if child.state == .waiting, now < child.dueAt! { fail("starts \(ref) before its time") }
        children[ref.slot].state = .starting
        children[ref.slot].since = now
        children[ref.slot].generation = ref.generation
        children[ref.slot].isAlive = true
    }

    private mutating func tell(_ ref: ChildRef, isAsked: Bool) {
        let child = children[ref.slot]
        guard child.isAlive, child.generation == ref.generation, child.told != nil || toldAll != nil else {
            return fail("tells \(ref) to stop")
        }
        if isAsked {
            if child.told?.isAsked != false || !rules.shutdown.asks { fail("asks \(ref)") }
            children[ref.slot].told?.isAsked = true
        } else {
            if let told = child.told, toldAll == nil,
                told.isCancelled || rules.shutdown.asks,
                told.overdueAt == nil
            {
                fail("cancels \(ref)")
            }
            children[ref.slot].told?.isCancelled = true
        }
    }

    /// In the end nobody waits for anybody.
    private mutating func tellAll(isAsked: Bool) {
        if toldAll != nil || ending == nil { fail("tells all to stop") }
        if isAsked != rules.shutdown.asks { fail("does not tell as the shutdown says") }
        toldAll = (now, nil)
        for slot in children.indices where children[slot].isAlive && children[slot].told == nil {
            children[slot].told = .init(at: now, isAsked: isAsked, isCancelled: !isAsked)
        }
    }

    private mutating func finish(_ reason: StopReason, _ abandoned: [ChildRef]) {
        if isFinished || reason != ending { fail("ends because of \(reason)") }
        isFinished = true
        let left = children.indices.filter { !children[$0].isForgotten }
        if left.contains(where: { children[$0].state != .abandoned }) { fail("leaves a child behind") }
        let refs = left.map { ChildRef(slot: $0, generation: children[$0].generation) }
        if refs != abandoned { fail("ends with \(abandoned) abandoned, and \(refs) are") }
    }
}

// MARK: - What is told

extension DynamicWorld {
    private mutating func follow(_ decision: Decision) {
        switch decision {
        case .starting, .childStarting: break
        case .started:
            if hasStarted { fail("has started twice") }
            hasStarted = true
        case .childStarted(let ref): come(ref, from: [.starting], to: .running)
        case .childIgnored(let ref):
            found = .ignored
            come(ref, from: [.starting], to: .done)
        case .childEnded(let ref, let exit):
            come(ref, from: [.starting, .running], to: exit == .leftRunning ? .abandoned : .done)
        case .childRestarting(let ref, let delay): restarting(ref, delay)
        case .childGivenUp(let ref, let cause):
            found = .givenUp(cause)
            come(ref, from: [.done], to: .givenUp)
        case .stopping(let reason): stopping(reason)
        case .childStopping(let ref):
            come(ref, from: [.starting, .running, .waiting], to: .stopping)
            children[ref.slot].told = .init(at: now)
        case .childOverdue(let ref, let time): overdue(ref, time)
        case .childStopped(let ref, let exit):
            if children[ref.slot].isAlive { fail("tells that \(ref) has stopped, and it runs") }
            let from: [ChildState] = ending == nil ? [.stopping, .abandoned] : ChildState.allCases
            come(ref, from: from, to: exit == .leftRunning ? .abandoned : .stopped)
        case .childAbandoned(let ref, let time): abandoned(ref, time)
        case .stopped: if ending == nil { fail("has stopped") }
        case .childDropped, .childDeleted: fail("tells \(decision)")
        }
    }

    private mutating func come(_ ref: ChildRef, from states: [ChildState], to state: ChildState) {
        let child = children[ref.slot]
        if child.isForgotten || child.generation != ref.generation { fail("speaks of \(ref)") }
        if !states.contains(child.state) { fail("brings \(ref) from \(child.state) to \(state)") }
        children[ref.slot].state = state
        children[ref.slot].since = now
    }

    private mutating func restarting(_ ref: ChildRef, _ delay: Duration) {
        found = .restarted
        let child = children[ref.slot]
        guard rules.hasOwnAccount else {
            if delay != .zero { fail("waits \(delay)") }
            return restarts.append(now)
        }
        children[ref.slot].restarts.append(now)
        guard let backoff = rules.backoff else { return }
        if let since = child.ranSince, now - since >= backoff.resetAfter { children[ref.slot].failures = 0 }
        children[ref.slot].failures += 1
        var longest = backoff.initial
        for _ in 1..<children[ref.slot].failures { longest = min(longest * backoff.factor, backoff.cap) }
        if delay > longest || delay < longest * (1 - backoff.jitter) {
            fail("waits \(delay), not \(longest)")
        }
        children[ref.slot].state = .waiting
        children[ref.slot].dueAt = now + delay
    }

    private mutating func stopping(_ reason: StopReason) {
        if ending != nil { fail("begins to end twice") }
        ending = reason
        if reason != .requested { found = .stops(reason) }
    }

    private mutating func overdue(_ ref: ChildRef, _ time: Duration) {
        let told = children[ref.slot].told
        guard let limit = rules.shutdown.limit, rules.shutdown.asks, let at = toldAll?.at ?? told?.at,
            now - at >= limit, time == now - at
        else { return fail("says that \(ref) is overdue after \(time)") }
        children[ref.slot].told?.overdueAt = now
        if toldAll != nil { toldAll?.overdueAt = now }
    }

    private mutating func abandoned(_ ref: ChildRef, _ time: Duration) {
        let told = children[ref.slot].told
        guard let limit = rules.shutdown.limit, let at = toldAll?.at ?? told?.at, time == now - at,
            children[ref.slot].isAlive
        else { return fail("abandons \(ref) after \(time)") }
        if toldAll == nil, let told, rules.shutdown.asks {
            if now - (told.overdueAt ?? now) < Shutdown.cancellationGrace {
                fail("abandons \(ref) too early")
            }
        } else if now - at < limit {
            fail("abandons \(ref) too early")
        }
        if told?.isCancelled != true { fail("abandons \(ref), which was not cancelled") }
        children[ref.slot].state = .abandoned
    }
}

// MARK: - What callers are told

extension DynamicWorld {
    private mutating func answer(_ number: Int, _ reply: Reply) {
        guard let call = callers.removeValue(forKey: number) else { return fail("answers \(number)") }
        if !isRight(reply, to: call, number) { fail("answers \(call) with \(reply)") }
        for slot in children.indices where children[slot].starter == number {
            children[slot].starter = nil
        }
    }

    private mutating func isRight(_ reply: Reply, to call: Call, _ number: Int) -> Bool {
        if reply == .refused(.notRunning) { return ending != nil }
        let starting = children.firstIndex { $0.starter == number }
        switch (call, reply) {
        case (.start, .refused(.tooManyChildren)):
            return starting == nil && count == maxChildren
        case (.start, .started(let ref)):
            return ref.slot == starting && children[ref.slot].state == .running
        case (.start, .ignored):
            return starting.map { children[$0].state == .done } ?? false
        case (.start, .refused(.startFailed(let ref))):
            return ref.slot == starting && children[ref.slot].state != .starting
                && children[ref.slot].state != .running
        case (.terminate(.slot(let slot)), .done):
            return children[slot].isForgotten
        case (.terminate(.slot(let slot)), .refused(.abandoned(let ref))):
            return ref.slot == slot && children[slot].state == .abandoned
        case (.terminate(.slot(let slot)), .refused(.notFound)),
            (.find(.slot(let slot)), .refused(.notFound)):
            return slot >= children.count || children[slot].isForgotten
        case (.find(.slot(let slot)), .found(let found, let standing)):
            return slot == found && standing.state == children[slot].state && !children[slot].isForgotten
        case (.read, .done):
            return true
        case (.terminate(.id), .refused(.notFound)), (.find(.id), .refused(.notFound)),
            (.restart, .refused(.notFound)), (.delete, .refused(.notFound)):
            return true
        default:
            return false
        }
    }
}
