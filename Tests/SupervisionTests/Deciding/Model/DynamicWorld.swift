@testable import Supervision

/// What the children of one dynamic supervisor do, as events and actions tell it, and what must be true of that.
struct DynamicWorld {
    struct Child {
        var state = ChildState.starting
        var generation = 1
        var isAlive = true
        var isForgotten = false
        /// Those who want it know that it is gone.
        var isRetired = false
        var since: Duration
        var ranSince: Duration?
        var dueAt: Duration?
        var told: SupervisorWorld.Child.Told?
        var failures = 0
        var restarts: [Duration] = []
        /// Who waits for its start.
        var starter: Int?
    }

    typealias Consequence = SupervisorWorld.Consequence
    typealias Event = SupervisorWorld.Event

    let rules: ChildRules
    let intensity: RestartIntensity
    let maxChildren: Int

    var children: [Child] = []
    var now = Duration.zero
    /// Those who have not been answered.
    var callers: [Int: Call] = [:]
    var restarts: [Duration] = []
    var hasStarted = false
    var ending: StopReason?
    /// When all were told to stop, and when that was over.
    var toldAll: (at: Duration, overdueAt: Duration?)?
    var isFinished = false
    var expected: (ref: ChildRef, Consequence)?
    var found = Consequence.none
    var broken: String?

    init(rules: ChildRules, intensity: RestartIntensity, maxChildren: Int) {
        self.rules = rules
        self.intensity = intensity
        self.maxChildren = maxChildren
    }

    mutating func fail(_ message: String) {
        broken = broken ?? message
    }

    var count: Int { children.count { !$0.isForgotten } }

    mutating func note(_ event: Event) {
        expected = nil
        found = .none
        switch event {
        case .ended(let ref, let exit, let response):
            guard children[ref.slot].generation == ref.generation, children[ref.slot].isAlive else { return }
            expected = (ref, consequence(of: ref, exit, response))
            children[ref.slot].isAlive = false
            children[ref.slot].ranSince =
                children[ref.slot].state == .running ? children[ref.slot].since : nil
        case .call(let number, let call):
            callers[number] = call
        case .withdraw(let number):
            if !hasStarted { callers[number] = nil }
        case .start, .started, .stop, .time:
            break
        }
    }

    private func consequence(of ref: ChildRef, _ exit: Exit, _ response: FailureResponse) -> Consequence {
        let child = children[ref.slot]
        guard child.state.isUp, ending == nil else { return .none }
        if child.state == .starting, exit == .returned { return .ignored }
        if exit == .leftRunning { return .stops(.leftRunning(ref)) }
        if exit != .returned, response == .giveUpChild { return .givenUp(.response) }
        if exit != .returned, response == .giveUpSupervisor { return .stops(.gaveUp(ref, .response)) }
        if child.starter != nil { return .none }
        switch (rules.restart, exit) {
        case (.permanent, _), (.transient, .threw), (.transient, .cancelled): break
        default: return .none
        }
        guard rules.backoff == nil, rules.limit == nil else {
            return admits(child.restarts, rules.limit ?? .unlimited) ? .restarted : .givenUp(.limit)
        }
        return admits(restarts, intensity) ? .restarted : .stops(.gaveUp(ref, .intensity))
    }

    private func admits(_ restarts: [Duration], _ intensity: RestartIntensity) -> Bool {
        restarts.count { now - $0 <= intensity.period } < intensity.maxRestarts
    }

    /// What must be true after every step.
    mutating func check(_ machine: DynamicMachine) {
        if let (ref, consequence) = expected, consequence != found {
            fail("after the end of \(ref) expected \(consequence), found \(found)")
        }
        let known = machine.standings(limit: .max)
        let here = children.indices.filter { !children[$0].isForgotten }
        if known.map(\.slot) != here { fail("knows \(known.map(\.slot)), and \(here) are there") }
        for (slot, standing) in known where broken == nil {
            let child = children[slot]
            if standing.state != child.state {
                fail("takes \(slot) for \(standing.state), not \(child.state)")
            }
            if standing.generation != child.generation { fail("takes \(slot) for another generation") }
            let until = child.state == .waiting ? child.dueAt : nil
            if standing.until != until {
                fail("has \(slot) wait until \(String(describing: standing.until))")
            }
            if child.state.isDown { fail("keeps \(slot), which is \(child.state)") }
            if let until, machine.deadline ?? .seconds(1_000_000) > until {
                fail("forgets when a child is due")
            }
            if ending == nil, child.state == .stopping, let limit = rules.shutdown.limit,
                let told = child.told,
                machine.deadline ?? .seconds(1_000_000)
                    > (told.overdueAt.map { $0 + Shutdown.cancellationGrace } ?? told.at + limit)
            {
                fail("forgets when the time of \(slot) is up")
            }
            if ending != nil, !child.isAlive, child.state != .abandoned {
                fail("has lost the end of \(slot)")
            }
        }
        if hasStarted, ending == nil {
            for (number, call) in callers where !children.contains(where: { $0.starter == number }) {
                // Only for a child that is being stopped may anybody wait.
                guard case .terminate(.slot(let slot)) = call, children[slot].state == .stopping else {
                    fail("lets \(call) wait")
                    continue
                }
            }
        }
        if isFinished, !callers.isEmpty { fail("leaves \(callers) without an answer") }
        if ending != nil, !isFinished, !children.contains(where: \.isAlive) { fail("does not end") }
    }
}
