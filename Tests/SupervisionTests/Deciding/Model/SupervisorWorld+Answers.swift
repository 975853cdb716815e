@testable import Supervision

// What callers are told, held against what is so.

extension SupervisorWorld {
    /// Each caller is answered once, and those that came first are answered first.
    mutating func answer(_ number: Int, _ reply: Reply) {
        guard let caller = callers.first, caller.number == number else {
            return fail("answers \(number), and the first that waits is \(String(describing: callers.first))")
        }
        if number != servedBefore, reply != .refused(.notRunning) { lookAtSignificantEnds() }
        if !isRight(reply, to: caller) { fail("answers \(caller.call) with \(reply)") }
        callers.removeFirst()
    }

    private mutating func isRight(_ reply: Reply, to caller: Caller) -> Bool {
        if reply == .refused(.notRunning) { return ending != nil }
        switch caller.call {
        case .start(let id, _): return isRight(reply, toStartOf: id, at: caller.slot)
        case .terminate(let target): return isRight(reply, toTerminate: target)
        case .restart(let target): return isRight(reply, toRestart: target)
        case .delete(let target):
            guard reply != .done else {
                // It has been forgotten, just before this answer.
                return slot(of: target) == nil
            }
            return refusal(target, isRestart: false) == reply
        case .find(let target):
            guard let slot = slot(of: target) else { return reply == .refused(.notFound) }
            guard case .found(slot, let standing) = reply else { return false }
            let child = children[slot]
            return standing.state == child.state && standing.generation == child.generation
                && standing.until == (child.state == .waiting ? child.dueAt : nil)
        case .read:
            return reply == .done
        }
    }

    private mutating func isRight(_ reply: Reply, toStartOf id: String, at slot: Int?) -> Bool {
        guard let slot else {
            guard let present = self.slot(of: .id(id)) else { return false }
            return reply == .refused(children[present].state.isDown ? .alreadyPresent : .alreadyStarted)
        }
        // As if it had never been there.
        if case .refused(.startFailed) = reply { failedNew = slot }
        return isResult(reply, ofStarting: slot)
    }

    private func isResult(_ reply: Reply, ofStarting slot: Int) -> Bool {
        let child = children[slot]
        switch reply {
        case .started(let ref):
            return ref.slot == slot && ref.generation == child.generation && child.state == .running
        case .ignored:
            return child.state == .done
        case .refused(.startFailed(let ref)):
            return ref.slot == slot && !child.isAlive
        default:
            return false
        }
    }

    private mutating func isRight(_ reply: Reply, toTerminate target: Call.Target) -> Bool {
        guard let slot = slot(of: target) else { return reply == .refused(.notFound) }
        let child = children[slot]
        switch reply {
        case .done:
            let isDown = child.state.isDown && !child.isAlive
            children[slot].state = .terminated
            children[slot].isOwed = false
            return isDown
        case .refused(.abandoned(let ref)):
            return ref.slot == slot && child.state == .abandoned
        default:
            return false
        }
    }

    private mutating func isRight(_ reply: Reply, toRestart target: Call.Target) -> Bool {
        guard let slot = slot(of: target) else { return reply == .refused(.notFound) }
        if case .refused(.startFailed) = reply, children[slot].state == .done {
            children[slot].state = .terminated
        }
        return isResult(reply, ofStarting: slot) || refusal(target, isRestart: true) == reply
    }

    /// Why a child can be neither started nor deleted.
    private func refusal(_ target: Call.Target, isRestart: Bool) -> Reply? {
        guard let slot = slot(of: target) else { return .refused(.notFound) }
        switch children[slot].state {
        case .running, .stopping, .abandoned: return .refused(.running)
        case .starting, .waiting: return .refused(.restarting)
        case .unstarted, .stopped, .terminated, .done, .givenUp: return nil
        }
    }
}
