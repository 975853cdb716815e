@testable import Supervision

/// What the children of one supervisor do, as events and actions tell it, and what must be true of that.
///
/// It follows what is said and done, and never asks the machine what to think; what it has come to believe is
/// compared with the machine after each step.
struct SupervisorWorld {
    struct Child {
        let id: String
        let rules: ChildRules
        var state = ChildState.unstarted
        var generation = 0
        /// Whether a copy of it runs, whatever that was told.
        var isAlive = false
        var hasBeenUp = false
        var isForgotten = false
        /// Those who want it know that it is not there.
        var isRetired = false
        /// It was said that it is started again, and it has not been.
        var isOwed = false
        var since = Duration.zero
        /// Since when the copy that has just ended had been running.
        var ranSince: Duration?
        var dueAt: Duration?
        var told: Told?
        var failures = 0
        var restarts: [Duration] = []

        /// What a copy was told, and when.
        struct Told {
            var at: Duration
            var isAsked = false
            var isCancelled = false
            var overdueAt: Duration?
        }
    }

    /// What can follow from the end of a copy that nobody told to stop.
    enum Consequence: Equatable {
        case none
        case ignored
        case restarted
        case givenUp(GiveUpCause)
        case stops(StopReason)
    }

    enum Event {
        case start
        case started(ChildRef)
        case ended(ChildRef, Exit, FailureResponse)
        case stop
        case time
        case call(Int, Call)
        case withdraw(Int)
    }

    /// Somebody who waits for an answer.
    struct Caller {
        let number: Int
        let call: Call
        var slot: Int?
    }

    let strategy: Strategy
    let intensity: RestartIntensity
    let autoShutdown: AutoShutdown

    var children: [Child]
    var now = Duration.zero
    var callers: [Caller] = []
    var restarts: [Duration] = []
    /// Significant children that have ended by themselves since that was last looked at.
    var significantEnds: [ChildRef] = []
    /// The children that are brought up together: from which on, and because of which.
    var row: (first: Int, cause: Int)?
    var isOrderKnown = true
    /// The call that was being served when something happened.
    var servedBefore: Int?
    /// The child that has just been added, and failed to start.
    var failedNew: Int?
    var hasBegun = false
    var hasStarted = false
    var ending: StopReason?
    var isFinished = false

    var expected: (ref: ChildRef, Consequence)?
    var found = Consequence.none
    var broken: String?

    init(
        strategy: Strategy,
        intensity: RestartIntensity,
        autoShutdown: AutoShutdown,
        children: [(id: String, rules: ChildRules)]
    ) {
        self.strategy = strategy
        self.intensity = intensity
        self.autoShutdown = autoShutdown
        self.children = children.map { Child(id: $0.id, rules: $0.rules) }
    }

    mutating func fail(_ message: String) {
        broken = broken ?? message
    }

    func firstCoupled(to slot: Int) -> Int {
        strategy == .oneForAll ? 0 : slot
    }

    /// The child that somebody means, if there is one.
    func slot(of target: Call.Target) -> Int? {
        switch target {
        case .slot(let slot): children.indices.contains(slot) && !children[slot].isForgotten ? slot : nil
        case .id(let id): children.firstIndex { $0.id == id && !$0.isForgotten }
        }
    }
}

// MARK: - Events

extension SupervisorWorld {
    /// Takes note of what happens, before the machine is told of it.
    mutating func note(_ event: Event, _ machine: SupervisorMachine) {
        expected = nil
        found = .none
        isOrderKnown = true
        servedBefore = machine.served?.number
        failedNew = nil
        switch event {
        case .start:
            row = (0, -1)
        case .started(let ref):
            guard children[ref.slot].generation == ref.generation, children[ref.slot].state == .starting
            else { return }
            children[ref.slot].hasBeenUp = true
        case .ended(let ref, let exit, let response):
            guard children[ref.slot].generation == ref.generation, children[ref.slot].isAlive else { return }
            expected = (ref, consequence(of: ref, exit, response, machine))
            children[ref.slot].isAlive = false
            children[ref.slot].ranSince =
                children[ref.slot].state == .running ? children[ref.slot].since : nil
        case .time:
            noteDues(machine)
        case .call(let number, let call):
            callers.append(Caller(number: number, call: call))
        case .withdraw(let number):
            // One that has been begun is still answered.
            if machine.served?.number != number { callers.removeAll { $0.number == number } }
        case .stop:
            break
        }
    }

    /// What has to follow when a copy has ended.
    private mutating func consequence(
        of ref: ChildRef,
        _ exit: Exit,
        _ response: FailureResponse,
        _ machine: SupervisorMachine
    ) -> Consequence {
        let child = children[ref.slot]
        if child.state == .stopping, exit == .leftRunning, case .stopping(.restart, _) = machine.phase,
            machine.served?.work != .terminating(slot: ref.slot)
        {
            return .stops(.leftRunning(ref))
        }
        guard child.state.isUp else { return .none }
        let isStarting = child.state == .starting
        if isStarting, exit == .returned { return .ignored }
        if ending != nil { return .none }
        if exit == .leftRunning { return .stops(.leftRunning(ref)) }
        if exit != .returned, response == .giveUpChild { return .givenUp(.response) }
        if exit != .returned, response == .giveUpSupervisor { return .stops(.gaveUp(ref, .response)) }
        if case .stopping(.restart(let first), _) = machine.phase, ref.slot >= first,
            child.rules.restart != .temporary
        {
            return .none
        }
        if isStarting, case .starting(ref, _)? = machine.served?.work { return .none }
        if isStarting, !hasStarted, !child.hasBeenUp { return .stops(.startFailed(ref)) }
        switch (child.rules.restart, exit) {
        case (.permanent, _), (.transient, .threw), (.transient, .cancelled):
            break
        default:
            if child.rules.isSignificant { significantEnds.append(ref) }
            return .none
        }
        guard child.rules.backoff == nil, child.rules.limit == nil else {
            let limit = child.rules.limit ?? .unlimited
            return admits(child.restarts, limit) ? .restarted : .givenUp(.limit)
        }
        return admits(restarts, intensity) ? .restarted : .stops(.gaveUp(ref, .intensity))
    }

    private func admits(_ restarts: [Duration], _ intensity: RestartIntensity) -> Bool {
        restarts.count { now - $0 <= intensity.period } < intensity.maxRestarts
    }

    /// Children that have waited for long enough, and those that are started with them.
    private mutating func noteDues(_ machine: SupervisorMachine) {
        guard ending == nil, strategy != .oneForOne else { return }
        let due = children.indices.filter { children[$0].state == .waiting && children[$0].dueAt! <= now }
        guard let slot = due.first else { return }
        // In the same moment something else may begin to be started before these are looked at.
        if let deadline = machine.stop?.deadline, deadline <= now { isOrderKnown = false }
        for slot in due { children[slot].state = .stopped }
        beginRow(at: slot, machine.phase)
    }

    /// Notes that children are to come up together because of one of them.
    mutating func beginRow(at slot: Int, _ phase: SupervisorMachine.Phase) {
        var first = firstCoupled(to: slot)
        switch phase {
        case .stopping(.restart(let other), _):
            first = min(first, other)
        case .starting(let next):
            let isAwaited = children.indices.contains { other in
                other >= next && other < first && !children[other].isForgotten
                    && [.unstarted, .stopped, .waiting, .done].contains(children[other].state)
            }
            guard isAwaited else { break }
            first = next
            if children[slot].state == .waiting { children[slot].state = .stopped }
        default:
            break
        }
        row = (first, slot)
        for other in first..<children.count where other != slot && children[other].state == .waiting {
            children[other].state = .stopped
        }
    }
}

// MARK: - Significance

extension SupervisorWorld {
    /// Whether the end of a significant child is that of the supervisor.
    var endsWithSignificant: Bool {
        switch autoShutdown {
        case .never: false
        case .anySignificant: true
        case .allSignificant:
            !children.contains {
                $0.rules.isSignificant && !$0.isForgotten
                    && ![.terminated, .done, .givenUp].contains($0.state)
            }
        }
    }

    /// Notes that the supervisor has had nothing else to do than to look at them.
    mutating func lookAtSignificantEnds() {
        if endsWithSignificant, significantEnds.contains(where: isStillEnded) {
            fail("runs on without its significant children")
        }
        significantEnds = []
    }

    /// Whether that child ended by itself, and has not been started since.
    func isStillEnded(_ ref: ChildRef) -> Bool {
        let child = children[ref.slot]
        return child.isForgotten
            || child.generation == ref.generation && !child.isAlive
                && child.state.isDown
    }
}
