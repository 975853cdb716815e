@testable import Supervision

// What a supervisor does, held against what it may do at that moment.

extension SupervisorWorld {
    mutating func follow(_ action: Action, _ machine: SupervisorMachine, after phase: SupervisorMachine.Phase)
    {
        if isFinished, action.isDeed { fail("acts after the end") }
        switch action {
        case .adopt(let call, let slot): adopt(call, slot)
        case .start(let ref): start(ref, machine)
        case .ask(let ref): tell(ref, isAsked: true)
        case .cancel(let ref): tell(ref, isAsked: false)
        case .askAll, .cancelAll: fail("stops all at once")
        case .expect(let slot):
            if children[slot].state != .done { fail("expects \(slot), which is \(children[slot].state)") }
            children[slot].isRetired = false
        case .retire(let slot):
            if children[slot].isForgotten { fail("retires \(slot), which is forgotten") }
            if children[slot].state.isUp { fail("retires \(slot), which is up") }
            children[slot].isRetired = true
        case .forget(let slot): forget(slot)
        case .report(let decision): follow(decision, machine, after: phase)
        case .reply(let call, let reply): answer(call, reply)
        case .finish(let reason): finish(reason, machine.abandoned)
        }
    }

    private mutating func adopt(_ call: Int, _ slot: Int) {
        guard let caller = callers.first, caller.number == call, case .start(let id, let rules) = caller.call
        else { return fail("adopts a child that nobody brought") }
        if slot != children.count { fail("adopts \(slot), and \(children.count) is next") }
        if children.contains(where: { $0.id == id && !$0.isForgotten }) { fail("has \(id) twice") }
        lookAtSignificantEnds()
        callers[0].slot = slot
        children.append(Child(id: id, rules: rules))
    }

    private mutating func start(_ ref: ChildRef, _ machine: SupervisorMachine) {
        let child = children[ref.slot]
        if ending != nil { fail("starts \(ref) while ending") }
        if child.isForgotten { fail("starts \(ref), which is forgotten") }
        if child.isAlive || child.state == .abandoned { fail("has two copies of \(ref.slot)") }
        if ref.generation != child.generation + 1 {
            fail("starts \(ref) after generation \(child.generation)")
        }
        if child.rules.restart == .temporary, child.generation > 0 {
            fail("brings temporary \(ref.slot) back")
        }

        // A new one that was stopped along with others comes up with them, whoever waits for its start.
        if case .starting(ref, let isNew)? = machine.served?.work, !isNew || ref.generation == 1 {
            if child.state == .waiting { fail("starts \(ref) by a call while it waits") }
        } else {
            if child.state == .terminated || child.state == .givenUp { fail("brings \(ref.slot) back") }
            if child.state == .waiting, now < child.dueAt!, strategy == .oneForOne || row?.cause == ref.slot {
                fail("starts \(ref) before its time, \(child.dueAt!)")
            }
            checkOrder(of: ref)
        }
        children[ref.slot].state = .starting
        children[ref.slot].since = now
        children[ref.slot].generation = ref.generation
        children[ref.slot].isAlive = true
        children[ref.slot].isOwed = false
        children[ref.slot].isRetired = false
        children[ref.slot].told = nil
    }

    /// In a row each child is started only when all above it are up that are to be.
    private mutating func checkOrder(of ref: ChildRef) {
        let isRow = strategy != .oneForOne || children[ref.slot].generation == 0
        guard isRow, isOrderKnown else { return }
        guard let row, ref.slot >= row.first else { return fail("starts \(ref), which is not in the row") }
        for (slot, child) in children.enumerated() where !child.isForgotten && slot != ref.slot {
            if child.state == .starting { fail("starts \(ref) while \(slot) is starting") }
            if child.state == .stopping { fail("starts \(ref) while \(slot) is stopping") }
            guard slot >= row.first, slot < ref.slot else { continue }
            if [.unstarted, .stopped, .waiting].contains(child.state) {
                fail("starts \(ref) before \(slot), which is \(child.state)")
            }
        }
    }

    private mutating func tell(_ ref: ChildRef, isAsked: Bool) {
        let child = children[ref.slot]
        guard child.state == .stopping, child.isAlive, child.generation == ref.generation,
            let told = child.told
        else { return fail("tells \(ref) to stop, which is \(child.state)") }
        let asksFirst = child.rules.shutdown.asks
        if isAsked {
            if !asksFirst || told.isAsked { fail("asks \(ref)") }
            children[ref.slot].told?.isAsked = true
        } else {
            if told.isCancelled || asksFirst && told.overdueAt == nil { fail("cancels \(ref)") }
            children[ref.slot].told?.isCancelled = true
        }
    }

    private mutating func forget(_ slot: Int) {
        let child = children[slot]
        if child.isForgotten { fail("forgets \(slot) twice") }
        if child.isAlive || child.state == .abandoned { fail("forgets \(slot), which runs") }
        let isNew = failedNew == slot
        if child.rules.restart != .temporary, !isNew, !isDeleted(slot) { fail("forgets \(slot)") }
        if !child.isRetired { fail("forgets \(slot) without a word to those who want it") }
        children[slot].isForgotten = true
    }

    private func isDeleted(_ slot: Int) -> Bool {
        if case .delete(let target)? = callers.first?.call { self.slot(of: target) == slot } else { false }
    }

    private mutating func finish(_ reason: StopReason, _ abandoned: [ChildRef]) {
        if isFinished { fail("ends twice") }
        isFinished = true
        if reason != ending {
            fail("ends because of \(reason), and stopped because of \(String(describing: ending))")
        }
        let left = children.enumerated().filter { $0.element.state == .abandoned }
            .map { ChildRef(slot: $0.offset, generation: $0.element.generation) }
        if left != abandoned { fail("ends with \(abandoned) abandoned, and \(left) are") }
        if children.contains(where: { $0.isAlive && $0.state != .abandoned }) {
            fail("leaves a child behind")
        }
        if !callers.isEmpty { fail("leaves \(callers) without an answer") }
    }
}

// MARK: - What is told

extension SupervisorWorld {
    private mutating func follow(
        _ decision: Decision,
        _ machine: SupervisorMachine,
        after phase: SupervisorMachine.Phase
    ) {
        switch decision {
        case .starting:
            if hasBegun { fail("begins twice") }
            hasBegun = true
        case .started:
            if hasStarted { fail("has started twice") }
            hasStarted = true
            let isMissing = children.contains {
                !$0.isForgotten && [.unstarted, .starting, .waiting, .stopping, .stopped].contains($0.state)
            }
            if isMissing { fail("has started although not all its children have") }
        case .childStarting:
            break
        case .childStarted(let ref):
            if children[ref.slot].state != .starting { fail("tells that \(ref) has started") }
            come(ref, to: .running)
        case .childIgnored(let ref):
            found = .ignored
            come(ref, to: .done)
        case .childEnded(let ref, let exit):
            if !children[ref.slot].state.isUp { fail("tells that \(ref) ended by itself") }
            come(ref, to: exit == .leftRunning ? .abandoned : .done)
        case .childRestarting(let ref, let delay):
            restarting(ref, delay, after: phase)
        case .childGivenUp(let ref, let cause):
            found = .givenUp(cause)
            come(ref, to: .givenUp)
        case .childDropped(let ref):
            if children[ref.slot].rules.restart != .temporary { fail("drops \(ref), which is not temporary") }
        case .childDeleted(let slot):
            lookAtSignificantEnds()
            if !isDeleted(slot) || !children[slot].state.isDown { fail("deletes \(slot)") }
        case .stopping(let reason):
            stopping(reason)
        case .childStopping(let ref):
            childStopping(ref, machine, after: phase)
        case .childOverdue(let ref, let time):
            guard let told = children[ref.slot].told, told.isAsked, !told.isCancelled else {
                return fail("\(ref) is overdue")
            }
            checkTime(ref, time, since: told.at, limit: children[ref.slot].rules.shutdown.limit)
            children[ref.slot].told?.overdueAt = now
        case .childStopped(let ref, let exit):
            if children[ref.slot].isAlive { fail("tells that \(ref) has stopped, and it runs") }
            let isLate = children[ref.slot].state == .abandoned
            come(ref, to: exit == .leftRunning ? .abandoned : isLate ? .terminated : .stopped)
        case .childAbandoned(let ref, let time):
            guard let told = children[ref.slot].told, told.isCancelled else { return fail("abandons \(ref)") }
            let limit = told.isAsked ? Shutdown.cancellationGrace : children[ref.slot].rules.shutdown.limit
            checkTime(ref, time, since: told.overdueAt ?? told.at, limit: limit)
            come(ref, to: .abandoned)
        case .stopped:
            if ending == nil { fail("has stopped") }
        }
    }

    private mutating func come(_ ref: ChildRef, to state: ChildState) {
        if children[ref.slot].generation != ref.generation { fail("speaks of \(ref)") }
        children[ref.slot].state = state
        children[ref.slot].since = now
    }

    private mutating func checkTime(_ ref: ChildRef, _ time: Duration, since: Duration, limit: Duration?) {
        guard let limit else { return fail("\(ref) has no limit, and its time is up") }
        if now - since < limit { fail("the time of \(ref) is up after \(now - since) of \(limit)") }
        if time != now - (children[ref.slot].told?.at ?? now) { fail("says \(time) of \(ref)") }
    }

    private mutating func restarting(
        _ ref: ChildRef,
        _ delay: Duration,
        after phase: SupervisorMachine.Phase
    ) {
        found = .restarted
        let child = children[ref.slot]
        if child.rules.hasOwnAccount {
            children[ref.slot].restarts.append(now)
        } else {
            restarts.append(now)
        }
        children[ref.slot].isOwed = true
        var longest = Duration.zero
        var shortest = Duration.zero
        if let backoff = child.rules.backoff {
            if let since = child.ranSince, now - since >= backoff.resetAfter {
                children[ref.slot].failures = 0
            }
            children[ref.slot].failures += 1
            longest = backoff.initial
            for _ in 1..<children[ref.slot].failures { longest = min(longest * backoff.factor, backoff.cap) }
            shortest = longest * (1 - backoff.jitter)
        }
        if delay > longest || delay < shortest { fail("waits \(delay), not \(shortest) to \(longest)") }
        let isRetry = strategy != .oneForOne && child.ranSince == nil
        if child.rules.backoff != nil || isRetry {
            children[ref.slot].state = .waiting
            children[ref.slot].dueAt = now + delay
        }
        if strategy != .oneForOne { beginRow(at: ref.slot, phase) }
    }

    private mutating func stopping(_ reason: StopReason) {
        if ending != nil { fail("begins to end twice") }
        ending = reason
        switch reason {
        case .autoShutdown(let ref):
            let isRight = significantEnds.contains(ref) && isStillEnded(ref) && endsWithSignificant
            if !isRight { fail("ends by itself because of \(ref)") }
        case .gaveUp(_, let cause) where found == .givenUp(cause):
            if !endsWithSignificant { fail("ends with a child that is given up") }
        default:
            if reason != .requested { found = .stops(reason) }
        }
        for slot in children.indices where children[slot].state == .waiting {
            children[slot].state = .stopped
        }
    }

    private mutating func childStopping(
        _ ref: ChildRef,
        _ machine: SupervisorMachine,
        after phase: SupervisorMachine.Phase
    ) {
        let child = children[ref.slot]
        if children.contains(where: { $0.state == .stopping }) { fail("stops \(ref) and another at once") }
        if child.state == .waiting {
            // Somebody does not want it any more; those that would have come with it come without it.
            if strategy != .oneForOne { row = (firstCoupled(to: ref.slot), ref.slot) }
            return come(ref, to: .stopping)
        }
        if !child.state.isUp { fail("stops \(ref), which is \(child.state)") }
        if machine.served?.work != .terminating(slot: ref.slot) {
            for (slot, other) in children.enumerated() where slot > ref.slot && other.state.isUp {
                fail("stops \(ref) before \(slot)")
            }
            if ending == nil, ref.slot < row?.first ?? .max { fail("stops \(ref), which is not in the row") }
            if ending == nil, strategy == .oneForOne { fail("stops \(ref) because of a sibling") }
        }
        children[ref.slot].told = Child.Told(at: now)
        come(ref, to: .stopping)
    }
}

extension Action {
    /// Whether it does something, other than to tell somebody of something.
    fileprivate var isDeed: Bool {
        switch self {
        case .report, .reply: false
        default: true
        }
    }
}
