// What is asked of a running supervisor: one call at a time, in the order in which they came.

extension SupervisorMachine {
    /// Takes a call in, to be served when it is its turn.
    mutating func take(_ call: Call, _ number: Int) {
        switch phase {
        case .ended, .stopping(.end, _):
            reply(number, .refused(.notRunning))
        case .idle, .starting, .running, .stopping(.restart, _):
            calls.push((number, call))
            queued.insert(number)
        }
    }

    mutating func withdraw(_ number: Int) {
        queued.remove(number)
    }

    mutating func serveCalls(at now: Duration) {
        while phase == .running, served == nil, stop == nil, let (number, call) = calls.pop() {
            // One that was withdrawn is not served.
            guard queued.remove(number) != nil else { continue }
            switch call {
            case .start(let id, let rules): start(number, id, rules, at: now)
            case .terminate(let target): terminate(number, target, at: now)
            case .restart(let target): restart(number, target, at: now)
            case .delete(let target): delete(number, target)
            case .find(let target):
                let found = slot(of: target).map {
                    Reply.found(slot: $0.slot, standing($0.child, of: $0.slot))
                }
                reply(number, found ?? .refused(.notFound))
            case .read:
                reply(number, .done)
            }
        }
    }

    /// Answers everything that is not going to be served any more.
    mutating func refuseCalls() {
        if let served { reply(served.number, .refused(.notRunning)) }
        served = nil
        while let (number, _) = calls.pop() {
            guard queued.remove(number) != nil else { continue }
            reply(number, .refused(.notRunning))
        }
    }

    /// Answers the call that has a child started, if it is about this one.
    mutating func answerStart(of slot: Int, _ reply: Reply) {
        guard let served, case .starting(let ref, _) = served.work, ref.slot == slot else { return }
        self.served = nil
        self.reply(served.number, reply)
    }

    mutating func answerTerminate(_ reply: Reply) {
        guard let served else { return }
        self.served = nil
        self.reply(served.number, reply)
    }

    private mutating func start(
        _ number: Int,
        _ id: String,
        _ rules: ChildRules,
        at now: Duration
    ) {
        if let present = slot(of: .id(id))?.child {
            return refuse(number, present.state.isDown ? .alreadyPresent : .alreadyStarted)
        }
        let slot = add(id, rules)
        served = ServedCall(
            number: number,
            work: .starting(ChildRef(slot: slot, generation: 1), isNew: true)
        )
        actions.push(.adopt(call: number, slot: slot))
        start(slot: slot, at: now)
    }

    private mutating func terminate(_ number: Int, _ target: Call.Target, at now: Duration) {
        guard let (slot, child) = slot(of: target) else { return refuse(number, .notFound) }
        let ref = ChildRef(slot: slot, generation: child.generation)
        switch child.state {
        case .starting, .running:
            served = ServedCall(number: number, work: .terminating(slot: slot))
            tellToStop(slot, at: now)
        case .waiting:
            set(slot, .terminated, at: now)
            // Those that were to come back together with it come back without it.
            if strategy != .oneForOne { phase = .starting(next: firstCoupled(to: slot)) }
            report(.childStopping(ref))
            report(.childStopped(ref, .returned))
            actions.push(.retire(slot: slot))
            reply(number, .done)
            startNext(at: now)
        case .abandoned:
            refuse(number, .abandoned(ref))
        case .unstarted, .stopping, .stopped, .terminated, .done, .givenUp:
            // One that was to come back with others does not any more.
            set(slot, .terminated, at: now)
            actions.push(.retire(slot: slot))
            reply(number, .done)
            forgetIfTemporary(slot)
        }
    }

    private mutating func restart(_ number: Int, _ target: Call.Target, at now: Duration) {
        guard let (slot, child) = slot(of: target) else { return refuse(number, .notFound) }
        switch child.state {
        case .running, .stopping, .abandoned:
            refuse(number, .running)
        case .starting, .waiting:
            refuse(number, .restarting)
        case .unstarted, .stopped, .terminated, .done, .givenUp:
            let ref = ChildRef(slot: slot, generation: child.generation + 1)
            served = ServedCall(number: number, work: .starting(ref, isNew: false))
            start(slot: slot, at: now)
        }
    }

    private mutating func delete(_ number: Int, _ target: Call.Target) {
        guard let (slot, child) = slot(of: target) else { return refuse(number, .notFound) }
        switch child.state {
        case .running, .stopping, .abandoned:
            refuse(number, .running)
        case .starting, .waiting:
            refuse(number, .restarting)
        case .unstarted, .stopped, .terminated, .done, .givenUp:
            report(.childDeleted(slot: slot))
            actions.push(.retire(slot: slot))
            forget(slot)
            reply(number, .done)
        }
    }

    private mutating func refuse(_ number: Int, _ refusal: Refusal) {
        reply(number, .refused(refusal))
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
