@testable import Supervision

typealias Machine = SupervisorMachine

/// The first copy of the child in that slot, or a later one.
func ref(_ slot: Int, _ generation: Int = 1) -> ChildRef {
    ChildRef(slot: slot, generation: generation)
}

extension Decision {
    /// A restart without delay.
    static func childRestarting(_ ref: ChildRef) -> Decision {
        .childRestarting(ref, after: .zero)
    }
}

extension StopReason {
    /// Giving up because of more restarts than the supervisor allows.
    static func gaveUp(_ ref: ChildRef) -> StopReason {
        .gaveUp(ref, .intensity)
    }
}

extension Machine {
    /// A machine with children of these kinds, each given five seconds to stop.
    init(
        _ restarts: [Restart],
        strategy: Strategy = .oneForOne,
        intensity: RestartIntensity = .default
    ) {
        self.init(
            strategy: strategy,
            intensity: intensity,
            rules: restarts.map { ChildRules(restart: $0, shutdown: .timeout(.seconds(5))) }
        )
    }

    /// A machine with children of these rules, called by their places.
    init(
        strategy: Strategy = .oneForOne,
        intensity: RestartIntensity = .default,
        autoShutdown: AutoShutdown = .never,
        rules: [ChildRules]
    ) {
        self.init(
            strategy: strategy,
            intensity: intensity,
            autoShutdown: autoShutdown,
            children: rules.enumerated().map { ("\($0.offset)", $0.element) },
            seed: 1
        )
    }

    /// A machine with these shutdowns.
    init(shutdowns: [Shutdown], strategy: Strategy = .oneForOne) {
        self.init(strategy: strategy, rules: shutdowns.map { ChildRules(restart: .permanent, shutdown: $0) })
    }

    mutating func start() -> [Action] { start(at: .zero) }

    mutating func childStarted(_ ref: ChildRef) -> [Action] { childStarted(ref, at: .zero) }

    /// The same machine, with every child started.
    func up() -> Machine {
        var machine = self
        var actions = machine.start()
        while let ref = actions.starts.first {
            actions = machine.childStarted(ref)
        }
        return machine
    }
}

extension [Action] {
    /// The copies to be started.
    var starts: [ChildRef] {
        compactMap { if case .start(let ref) = $0 { ref } else { nil } }
    }

    /// What is to be done, without what is only to be told or noted.
    var deeds: [Action] {
        filter {
            switch $0 {
            case .report, .retire, .expect, .forget: false
            default: true
            }
        }
    }

    /// What is to be told.
    var reports: [Decision] {
        compactMap { if case .report(let decision) = $0 { decision } else { nil } }
    }

    /// Why the supervisor begins to stop, if it does.
    var stopReason: StopReason? {
        reports.lazy.compactMap { if case .stopping(let reason) = $0 { reason } else { nil } }.first
    }
}

extension ChildRules {
    /// Rules of a child that is given five seconds to stop.
    static func plain(_ restart: Restart = .permanent) -> ChildRules {
        ChildRules(restart: restart, shutdown: .timeout(.seconds(5)))
    }

    /// The same rules, changed in one respect.
    func with(_ change: (inout ChildRules) -> Void) -> ChildRules {
        var rules = self
        change(&rules)
        return rules
    }

    var significant: ChildRules { with { $0.isSignificant = true } }

    /// With a second's pause before each restart.
    var patient: ChildRules { with { $0.backoff = .constant(.seconds(1)) } }
}

extension Machine {
    /// The end of a copy, at the beginning of time.
    mutating func end(_ ref: ChildRef, _ exit: Exit = .threw, _ response: FailureResponse = .restart)
        -> [Action]
    {
        childEnded(ref, exit, response: response, at: .zero)
    }

    mutating func call(_ number: Int, _ call: Call) -> [Action] {
        self.call(number, call, at: .zero)
    }

    /// Answers each stop with an end and each start with a started, until nothing is left to answer.
    mutating func settle(_ first: [Action]) -> Settling {
        var settling = Settling()
        var pending = first
        while !pending.isEmpty {
            let action = pending.removeFirst()
            switch action {
            case .ask(let ref), .cancel(let ref):
                settling.stops.append(ref.slot)
                pending += end(ref, .cancelled)
            case .start(let ref):
                settling.starts.append(ref.slot)
                pending += childStarted(ref)
            case .reply, .finish, .report:
                settling.rest.append(action)
            default:
                break
            }
        }
        return settling
    }

    /// What came of something, when all children do as they are told.
    struct Settling: Equatable {
        /// The slots that were stopped, in order.
        var stops: [Int] = []
        /// The slots that were started, in order.
        var starts: [Int] = []
        var rest: [Action] = []

        var replies: [Action] { rest.filter { if case .reply = $0 { true } else { false } } }
        var reports: [Decision] { rest.reports }
        var isFinished: Bool { rest.contains { if case .finish = $0 { true } else { false } } }
    }
}
