/// The keep-alive that the service manager expects of this process.
///
/// When no ``NotifyMessage/watchdog`` has come for ``timeout`` the manager ends the process
/// (`WatchdogSignal=`, `SIGABRT` by default). Send the first one right after `READY=1`, and send them from
/// something whose progress proves that the service is well. The manager measures on its monotonic clock.
///
/// - Note: Source: systemd `sd_watchdog_enabled`; `WATCHDOG_USEC` in microseconds, `WATCHDOG_PID`.
public struct WatchdogSettings: Sendable, Hashable {
    /// How long the manager waits for a sign of life.
    public let timeout: Duration

    /// How often to give one: half the time-out, as the manager's documentation recommends.
    public var pingInterval: Duration {
        timeout / 2
    }

    /// Makes settings.
    ///
    /// - Parameter timeout: How long the manager waits for a sign of life; above zero.
    public init(timeout: Duration) {
        self.timeout = timeout
    }
}
