@testable import Supervision

typealias Machine = SupervisorMachine

/// The first copy of the child in that slot, or a later one.
func ref(_ slot: Int, _ generation: Int = 1) -> Machine.Ref {
    Machine.Ref(slot: slot, generation: generation)
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
            children: restarts.map { ($0, .timeout(.seconds(5))) }
        )
    }

    /// A machine with these shutdowns.
    init(shutdowns: [Shutdown], strategy: Strategy = .oneForOne) {
        self.init(strategy: strategy, intensity: .default, children: shutdowns.map { (.permanent, $0) })
    }

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

extension [Machine.Action] {
    /// The copies to be started.
    var starts: [Machine.Ref] {
        compactMap { if case .start(let ref) = $0 { ref } else { nil } }
    }

    /// What is to be done, without what is only to be told.
    var deeds: [Machine.Action] {
        filter { if case .report = $0 { false } else { true } }
    }

    /// What is to be told.
    var reports: [Machine.Decision] {
        compactMap { if case .report(let decision) = $0 { decision } else { nil } }
    }

    /// Why the supervisor begins to stop, if it does.
    var stopReason: Machine.StopReason? {
        reports.lazy.compactMap { if case .stopping(let reason) = $0 { reason } else { nil } }.first
    }
}
