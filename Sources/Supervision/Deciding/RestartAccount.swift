/// How often one child has failed, where its restarts are counted apart from those of its siblings.
struct RestartAccount {
    /// Whether a child may be started again.
    enum Admission: Equatable {
        case now
        case after(Duration)
        case never(GiveUpCause)
    }

    private var failures = 0
    private var window: RestartWindow

    init(_ limit: RestartIntensity?) {
        window = RestartWindow(limit ?? .unlimited)
    }

    /// Counts a failure.
    ///
    /// - Parameters:
    ///   - now: When it happened.
    ///   - runningSince: Since when the child had been running, if it had started at all.
    ///   - backoff: How long to wait.
    ///   - random: What the jitter comes from.
    /// - Returns: Whether and when the child may be started again.
    mutating func admitRestart(
        at now: Duration,
        runningSince: Duration?,
        backoff: Backoff?,
        using random: inout some RandomNumberGenerator
    ) -> Admission {
        guard window.admitRestart(at: now) else { return .never(.limit) }
        guard let backoff else { return .now }
        if let runningSince, now - runningSince >= backoff.resetAfter { failures = 0 }
        failures += 1
        return .after(backoff.delay(afterFailures: failures, using: &random))
    }
}
