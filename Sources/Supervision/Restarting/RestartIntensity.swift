/// How many restarts a supervisor puts up with before it gives up.
///
/// `maxRestarts` restarts within the period are allowed; the next one is not made: the supervisor stops its
/// children in reverse order and fails, and its own parent decides (see ``Supervisor``). Every attempt counts,
/// also one whose start fails; what a strategy restarts together counts once. A child with a ``Backoff`` or a limit of its
/// own does not count.
///
/// - Note: Source: OTP `supervisor`, "Maximum restart intensity". OTP counts in whole seconds, so that its
///   window is up to a second longer than it says; this one is exact, on the supervisor's clock. The default
///   is Elixir's.
public struct RestartIntensity: Sendable, Hashable {
    /// How many restarts are allowed within ``period``.
    ///
    /// With 0, the first failure is one too many.
    public var maxRestarts: Int

    /// The sliding window, on the supervisor's clock.
    ///
    /// A restart exactly this old still counts.
    public var period: Duration

    /// Describes an intensity.
    ///
    /// - Parameters:
    ///   - maxRestarts: How many restarts are allowed; not negative.
    ///   - period: The sliding window, on the supervisor's clock; above zero.
    public init(maxRestarts: Int, within period: Duration) {
        self.maxRestarts = maxRestarts
        self.period = period
    }

    /// Three restarts within five seconds.
    public static let `default` = RestartIntensity(maxRestarts: 3, within: .seconds(5))

    /// Any number of restarts.
    ///
    /// A child that fails as soon as it is started is then restarted without end, and without a pause: only for
    /// children that cannot, or that have a ``Backoff``.
    public static let unlimited = RestartIntensity(maxRestarts: .max, within: .seconds(1))
}

extension RestartIntensity: CustomStringConvertible {
    /// Both numbers, as in "3 restarts within 5.0 seconds".
    public var description: String {
        "\(maxRestarts) \(maxRestarts == 1 ? "restart" : "restarts") within \(period)"
    }
}
