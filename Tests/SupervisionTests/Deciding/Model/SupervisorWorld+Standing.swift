@testable import Supervision

// What must be true after every step.

extension SupervisorWorld {
    mutating func check(_ machine: SupervisorMachine) {
        if let (ref, consequence) = expected, consequence != found {
            fail("after the end of \(ref) expected \(consequence), found \(found)")
        }
        compare(with: machine)
        if isFinished { return }
        checkProgress(of: machine)
        if machine.phase == .running { lookAtSignificantEnds() }
        for slot in children.indices where !isAccountedFor(slot, machine) {
            fail("\(slot) is \(children[slot].state) for good, although it was to be up")
        }
        if let failedNew, !children[failedNew].isForgotten, ending == nil {
            fail("keeps \(failedNew), which never ran")
        }
        if ending == nil { checkRetired() }
        for child in children where child.state == .waiting && !child.isForgotten {
            if machine.deadline ?? .seconds(1_000_000) > child.dueAt! { fail("forgets when a child is due") }
        }
    }

    /// The machine must know what the world knows.
    private mutating func compare(with machine: SupervisorMachine) {
        var counts = Array(repeating: 0, count: ChildState.allCases.count)
        var count = 0
        for (slot, child) in children.enumerated() {
            let known = machine.slots[slot]
            if child.isForgotten {
                if known != nil { fail("has not forgotten \(slot)") }
                continue
            }
            count += 1
            counts[child.state.rawValue] += 1
            if known?.state != child.state {
                fail("takes \(slot) for \(String(describing: known?.state)), and it is \(child.state)")
            }
            if known?.generation != child.generation { fail("takes \(slot) for another generation") }
        }
        if machine.slots.count != count { fail("has \(machine.slots.count) children, not \(count)") }
        for state in ChildState.allCases where machine.count(state) != counts[state.rawValue] {
            fail("counts \(machine.count(state)) \(state), not \(counts[state.rawValue])")
        }
    }

    private mutating func checkProgress(of machine: SupervisorMachine) {
        if ending != nil, machine.deadline != machine.stop?.deadline { fail("waits for what is not to come") }
        let isStopping = machine.stop != nil
        if isStopping != (machine.count(.stopping) == 1) { fail("has lost a stop") }
        switch machine.phase {
        case .idle, .ended:
            break
        case .running:
            if machine.served == nil, !isStopping, !callers.isEmpty { fail("lets \(callers) wait") }
        case .starting:
            let isGoingOn =
                machine.count(.starting) > 0 || strategy == .oneForOne && machine.count(.waiting) > 0
            if !isGoingOn { fail("has lost a start") }
        case .stopping:
            if !isStopping { fail("has lost what it was stopping") }
        }
        if let served = machine.served, served.number != callers.first?.number {
            fail("serves \(served), and first comes \(String(describing: callers.first))")
        }
    }

    /// Whoever wants a child waits for it exactly as long as there is hope.
    private mutating func checkRetired() {
        for (slot, child) in children.enumerated() where !child.isForgotten {
            switch child.state {
            case .terminated, .givenUp:
                if !child.isRetired { fail("lets those wait who want \(slot), which is \(child.state)") }
            case .waiting, .starting, .running:
                if child.isRetired { fail("says that \(slot) is gone, and it is \(child.state)") }
            case .unstarted, .stopping, .stopped, .done, .abandoned:
                break
            }
        }
    }

    /// Whether a child that was to be up is, or will be.
    private func isAccountedFor(_ slot: Int, _ machine: SupervisorMachine) -> Bool {
        let child = children[slot]
        let isToBeUp =
            switch child.state {
            case .unstarted, .stopped: true
            case .done: child.isOwed
            default: false
            }
        guard isToBeUp, !child.isForgotten, ending == nil else { return true }
        switch machine.phase {
        case .idle: return true
        case .starting(let next) where slot >= next: return true
        case .stopping(.restart(let first), _) where slot >= first: return true
        default: break
        }
        return children.enumerated().contains { other, sibling in
            sibling.state == .waiting && strategy != .oneForOne && firstCoupled(to: other) <= slot
        }
    }
}
