public import Supervision

/// Says whether a child is well.
typealias HealthCheck = @Sendable () async throws -> Bool

extension ChildContext {
    /// Has the watchdog ask this child whether it is well, before each sign of life.
    ///
    /// ```swift
    /// ChildSpec("queue") { child in
    ///     child.healthCheck { await queue.oldestMessageAge < .seconds(30) }
    ///     child.started()
    ///     try await queue.run()
    /// }
    /// ```
    ///
    /// With `WatchdogSec=` in the unit, all checks of the tree are made at once every time a sign of life is due. It is
    /// sent when each has answered true; one that answers false, throws, or has not answered within a quarter of
    /// that time, holds it back and is named in the log. When none has come for as long as `WatchdogSec=` says, the
    /// manager ends the process and starts another: check only what a new process would cure, and not the
    /// health of others.
    ///
    /// A check that has not answered is not made again before it has, and is not cancelled. A check lives as long as
    /// this copy of the child. Without a watchdog no check is made.
    ///
    /// - Parameter check: Whether the child is well.
    public func healthCheck(_ check: @escaping @Sendable () async throws -> Bool) {
        daemon.healthChecks.add(HealthProbe(check), of: self)
    }
}
