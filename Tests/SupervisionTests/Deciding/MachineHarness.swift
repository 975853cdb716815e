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
            case .report, .retire, .forget: false
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
