// What is asked of a running supervisor: one call at a time, in the order in which they came.

extension SupervisorMachine {
    mutating func call(_ number: Int, _ call: Call, at now: Duration) -> [Action] {
        switch phase {
        case .ended, .stopping(.end, _):
            return [.reply(call: number, .refused(.notRunning))]
        case .idle, .starting, .running, .stopping(.restart, _):
            calls.push((number, call))
            queued.insert(number)
            return settle(at: now)
        }
    }

    mutating func withdraw(_ number: Int) {
        queued.remove(number)
    }

    mutating func serveCalls(at now: Duration) -> [Action] {
        var actions: [Action] = []
        while phase == .running, served == nil, stop == nil, let (number, call) = calls.pop() {
            // One that was withdrawn is not served.
            guard queued.remove(number) != nil else { continue }
            switch call {
            case .start(let id, let rules): actions += start(number, id, rules, at: now)
            case .terminate(let target): actions += terminate(number, target, at: now)
            case .restart(let target): actions += restart(number, target, at: now)
            case .delete(let target): actions += delete(number, target)
            case .find(let target):
                let found = slot(of: target).map {
                    Reply.found(slot: $0.slot, standing($0.child, of: $0.slot))
                }
                actions.append(.reply(call: number, found ?? .refused(.notFound)))
            case .read:
                actions.append(.reply(call: number, .done))
            }
        }
        return actions
    }

    /// Answers everything that is not going to be served any more.
    mutating func refuseCalls() -> [Action] {
        var actions: [Action] = []
        if let served { actions.append(.reply(call: served.number, .refused(.notRunning))) }
        served = nil
        while let (number, _) = calls.pop() {
            guard queued.remove(number) != nil else { continue }
            actions.append(.reply(call: number, .refused(.notRunning)))
        }
        return actions
    }

    /// Answers the call that has a child started, if it is about this one.
    mutating func answerStart(of slot: Int, _ reply: Reply) -> [Action] {
        guard let served, case .starting(let ref, _) = served.work, ref.slot == slot else { return [] }
        self.served = nil
        return [.reply(call: served.number, reply)]
    }

    mutating func answerTerminate(_ reply: Reply) -> [Action] {
        guard let served else { return [] }
        self.served = nil
        return [.reply(call: served.number, reply)]
    }

    private mutating func start(
        _ number: Int,
        _ id: String,
        _ rules: ChildRules,
        at now: Duration
    ) -> [Action] {
        if let present = slot(of: .id(id))?.child {
            return refuse(number, present.state.isDown ? .alreadyPresent : .alreadyStarted)
        }
        let slot = add(id, rules)
        served = ServedCall(
            number: number,
            work: .starting(ChildRef(slot: slot, generation: 1), isNew: true)
        )
        return [.adopt(call: number, slot: slot)] + start(slot: slot, at: now)
    }

    private mutating func terminate(_ number: Int, _ target: Call.Target, at now: Duration) -> [Action] {
        guard let (slot, child) = slot(of: target) else { return refuse(number, .notFound) }
        let ref = ChildRef(slot: slot, generation: child.generation)
        switch child.state {
        case .starting, .running:
            served = ServedCall(number: number, work: .terminating(slot: slot))
            return tellToStop(slot, at: now)
        case .waiting:
            set(slot, .terminated, at: now)
            // Those that were to come back together with it come back without it.
            if strategy != .oneForOne { phase = .starting(next: firstCoupled(to: slot)) }
            return [
                .report(.childStopping(ref)), .report(.childStopped(ref, .returned)), .retire(slot: slot),
                .reply(call: number, .done),
            ] + startNext(at: now)
        case .abandoned:
            return refuse(number, .abandoned(ref))
        case .unstarted, .stopping, .stopped, .terminated, .done, .givenUp:
            // One that was to come back with others does not any more.
            set(slot, .terminated, at: now)
            return [.retire(slot: slot), .reply(call: number, .done)] + forgetIfTemporary(slot)
        }
    }

    private mutating func restart(_ number: Int, _ target: Call.Target, at now: Duration) -> [Action] {
        guard let (slot, child) = slot(of: target) else { return refuse(number, .notFound) }
        switch child.state {
        case .running, .stopping, .abandoned:
            return refuse(number, .running)
        case .starting, .waiting:
            return refuse(number, .restarting)
        case .unstarted, .stopped, .terminated, .done, .givenUp:
            let ref = ChildRef(slot: slot, generation: child.generation + 1)
            served = ServedCall(number: number, work: .starting(ref, isNew: false))
            return start(slot: slot, at: now)
        }
    }

    private mutating func delete(_ number: Int, _ target: Call.Target) -> [Action] {
        guard let (slot, child) = slot(of: target) else { return refuse(number, .notFound) }
        switch child.state {
        case .running, .stopping, .abandoned:
            return refuse(number, .running)
        case .starting, .waiting:
            return refuse(number, .restarting)
        case .unstarted, .stopped, .terminated, .done, .givenUp:
            return [.report(.childDeleted(slot: slot)), .retire(slot: slot)] + forget(slot)
                + [.reply(call: number, .done)]
        }
    }

    private func refuse(_ number: Int, _ refusal: Refusal) -> [Action] {
        [.reply(call: number, .refused(refusal))]
    }

    private mutating func slot(of target: Call.Target) -> (slot: Int, child: Slot)? {
        switch target {
        case .slot(let slot):
            return slots[slot].map { (slot, $0) }
        case .id(let id):
            if slotsByID == nil {
                var slotsByID: [String: Int] = [:]
                slots.forEach { slotsByID[$1.id] = $0 }
                self.slotsByID = slotsByID
            }
            return slotsByID?[id].flatMap { slot in slots[slot].map { (slot, $0) } }
        }
    }
}
