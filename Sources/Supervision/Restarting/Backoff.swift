/// How long to wait before a child that failed is started again.
///
/// ```swift
/// ChildSpec("feed") { try await feed.run() }
///     .backoff(.exponential(from: .milliseconds(100), to: .seconds(30), jitter: 0.2))
/// ```
///
/// The first failure waits the shortest, each further one longer, up to the cap. A child that has been running
/// for ``resetAfter`` counts as recovered: its next failure is a first one again.
///
/// With ``jitter`` a delay is shortened by a random part of itself, at most that fraction: children that failed
/// together do not all come back in the same moment, and no delay ever exceeds the cap.
///
/// Times are measured on the supervisor's clock. A stop is honoured at once also during a delay.
///
/// A child with a backoff keeps an account of its own: its restarts do not count in the supervisor's
/// ``RestartIntensity``, because it is the delay that keeps them from being too many. To have the child given
/// up one day, give it a limit too (``Child/limit(maxRestarts:within:)``).
///
/// It is for restarts: a first start that fails is not tried again.
///
/// - Note: OTP has no backoff. Jitter only shortens, so that the cap holds; in Pekko it may go beyond.
public struct Backoff: Sendable, Hashable {
    /// The delay after the first failure, on the supervisor's clock.
    public var initial: Duration

    /// The longest delay, on the supervisor's clock.
    public var cap: Duration

    /// What the delay is multiplied by at each further failure; 1 or more.
    public var factor: Double

    /// By how much a delay may be shortened at random: a fraction from 0 to 1.
    public var jitter: Double

    /// How long a child must have been running for its failures to be forgotten, on the supervisor's clock.
    ///
    /// The time before it had started is not running.
    public var resetAfter: Duration

    /// The same delay each time.
    ///
    /// - Parameters:
    ///   - delay: How long to wait, on the supervisor's clock; zero or more. With zero nothing keeps the restarts from
    ///     being too many: give the child a limit too (``Child/limit(maxRestarts:within:)``).
    ///   - jitter: By how much it may be shortened at random, from 0 to 1; not at all by default.
    /// - Returns: The backoff.
    public static func constant(_ delay: Duration, jitter: Double = 0) -> Backoff {
        Backoff(initial: delay, cap: delay, factor: 1, jitter: jitter, resetAfter: delay)
    }

    /// A delay that grows with each failure in a row.
    ///
    /// - Parameters:
    ///   - initial: The delay after the first failure, on the supervisor's clock as all times here; zero or more. Zero
    ///     does not grow, and nothing keeps the restarts from being too many: give the child a limit too
    ///     (``Child/limit(maxRestarts:within:)``).
    ///   - cap: The longest delay; not below `initial`.
    ///   - factor: What it is multiplied by each time; 2 by default, 1 or more.
    ///   - jitter: By how much a delay may be shortened at random, from 0 to 1; a fifth by default.
    ///   - resetAfter: How long the child must have been running for its failures to be forgotten; by default
    ///     as long as the cap.
    /// - Returns: The backoff.
    public static func exponential(
        from initial: Duration,
        to cap: Duration,
        factor: Double = 2,
        jitter: Double = 0.2,
        resetAfter: Duration? = nil
    ) -> Backoff {
        Backoff(initial: initial, cap: cap, factor: factor, jitter: jitter, resetAfter: resetAfter ?? cap)
    }
}

extension Backoff {
    /// The delay after that many failures in a row, at least one.
    func delay(afterFailures failures: Int, using random: inout some RandomNumberGenerator) -> Duration {
        let growth = power(factor, failures - 1)
        let full = initial.inSeconds * growth < cap.inSeconds ? min(initial * growth, cap) : cap
        guard jitter > 0 else { return full }
        return full * (1 - jitter * Double.random(in: 0..<1, using: &random))
    }

    /// What is wrong with it, as the end of a sentence about a child.
    var problems: [String] {
        var problems: [String] = []
        if initial < .zero { problems.append("has a backoff of \(initial): it must be zero or more") }
        if cap < initial {
            problems.append(
                "has a backoff from \(initial) to \(cap): the cap must not be below the first delay"
            )
        }
        if !(factor >= 1 && factor.isFinite) {
            problems.append("has a backoff that grows by a factor of \(factor): it must be 1 or more")
        }
        if !(0...1).contains(jitter) {
            problems.append("has a backoff with a jitter of \(jitter): it must be from 0 to 1")
        }
        if resetAfter < .zero {
            problems.append("has a backoff that resets after \(resetAfter): it must be zero or more")
        }
        return problems
    }
}

/// By repeated squaring: it ends in infinity rather than never.
private func power(_ base: Double, _ exponent: Int) -> Double {
    var result = 1.0
    var factor = base
    var rest = exponent
    while rest > 0 {
        if rest & 1 == 1 { result *= factor }
        factor *= factor
        rest >>= 1
    }
    return result
}

extension Duration {
    fileprivate var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
