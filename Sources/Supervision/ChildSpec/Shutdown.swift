/// How a child is stopped, and how long it may take.
///
/// Swift can ask a task to stop; it cannot kill one. A child that still runs when its time is up is reported
/// by name as *abandoned* (``SupervisorEvent/Kind/childAbandoned(child:after:)``), and the supervisor goes on
/// without it; see ``Supervisor`` for what follows from that.
///
/// Times are measured on the supervisor's clock and must not be negative.
///
/// - Note: Source: OTP `supervisor`, child specification key `shutdown`. OTP's `brutal_kill` has no
///   counterpart that could keep its promise; ``immediate`` is the nearest.
public enum Shutdown: Sendable, Hashable {
    /// Cancelled at once; abandoned if it still runs after this long.
    ///
    /// `.timeout(.seconds(5))` is the default of an ordinary child.
    case timeout(Duration)

    /// Asked to stop (``ChildContext/shutdownRequested()``), cancelled when this long has passed, and abandoned
    /// if it still runs ``cancellationGrace`` after that.
    ///
    /// For bodies that have something to finish: a server that drains, a buffer that must be written. A body
    /// that has not yet reported that it started is cancelled at once, and has the same time to end, grace included.
    /// One that was too slow to start (``Child/startTimeout(_:)``) has it without the grace. A nested supervisor begins
    /// to stop its children as soon as it is asked.
    case graceful(Duration)

    /// Cancelled at once, and waited for without limit.
    ///
    /// The default of a nested supervisor, which ends once its own children have, each within its own limit.
    case infinity

    /// Cancelled at once and given no more than ``cancellationGrace`` to unwind.
    public static var immediate: Shutdown { .timeout(cancellationGrace) }

    /// How long a child may take to unwind after a cancellation that was its last warning: one second.
    public static var cancellationGrace: Duration { .seconds(1) }
}

extension Shutdown {
    /// The time given, where there is one.
    var limit: Duration? {
        switch self {
        case .timeout(let limit), .graceful(let limit): limit
        case .infinity: nil
        }
    }

    /// Whether the child is asked before it is cancelled.
    var asks: Bool {
        if case .graceful = self { true } else { false }
    }
}
