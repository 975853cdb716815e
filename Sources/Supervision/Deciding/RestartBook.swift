/// Who has been restarted how often, for all children of a supervisor.
struct RestartBook {
    private var shared: RestartWindow
    private var accounts: [Int: RestartAccount] = [:]
    private var random: SeededRandom

    init(_ intensity: RestartIntensity, seed: UInt64) {
        shared = RestartWindow(intensity)
        random = SeededRandom(seed: seed)
    }

    /// Counts a failure of a child, in its own account where it has one.
    ///
    /// - Returns: Whether and when it may be started again.
    mutating func admitRestart(
        of slot: Int,
        _ rules: ChildRules,
        at now: Duration,
        runningSince: Duration?
    ) -> RestartAccount.Admission {
        guard rules.hasOwnAccount else {
            return shared.admitRestart(at: now) ? .now : .never(.intensity)
        }
        return accounts[slot, default: RestartAccount(rules.limit)].admitRestart(
            at: now,
            runningSince: runningSince,
            backoff: rules.backoff,
            using: &random
        )
    }

    /// Forgets what a child has done.
    mutating func forget(_ slot: Int) {
        if !accounts.isEmpty { accounts[slot] = nil }
    }
}

extension Restart {
    /// Whether a child of this kind is started again after it ended that way.
    func appliesAfter(_ exit: Exit) -> Bool {
        switch self {
        case .permanent: true
        case .transient: exit != .returned
        case .temporary: false
        }
    }
}
