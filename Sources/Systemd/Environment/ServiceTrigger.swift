/// What made the manager start the service, when that was another unit.
///
/// Of the unit's triggers it names one. systemd has told it since 252.
///
/// - Note: Source: systemd `systemd.exec`, `$TRIGGER_UNIT` and those after it.
public struct ServiceTrigger: Sendable, Hashable {
    /// The unit that did it, such as `backup.timer` (`TRIGGER_UNIT`).
    public let unit: String

    /// The path that changed, when it was a path unit (`TRIGGER_PATH`).
    public let path: String?

    /// When the timer elapsed, since 1970 UTC on the system's wall clock, when it was a timer
    /// (`TRIGGER_TIMER_REALTIME_USEC`).
    public let timeSince1970: Duration?

    /// When the timer elapsed on the monotonic clock, when it was a timer (`TRIGGER_TIMER_MONOTONIC_USEC`).
    public let instant: MonotonicInstant?

    /// Describes a trigger.
    ///
    /// - Parameters:
    ///   - unit: The unit that did it.
    ///   - path: The path that changed; none by default.
    ///   - timeSince1970: When the timer elapsed on the wall clock; none by default.
    ///   - instant: When the timer elapsed on the monotonic clock; none by default.
    public init(
        unit: String,
        path: String? = nil,
        timeSince1970: Duration? = nil,
        instant: MonotonicInstant? = nil
    ) {
        self.unit = unit
        self.path = path
        self.timeSince1970 = timeSince1970
        self.instant = instant
    }
}

extension EnvironmentReader {
    mutating func trigger() -> ServiceTrigger? {
        guard let unit = text("TRIGGER_UNIT") else { return nil }
        return ServiceTrigger(
            unit: unit,
            path: absolutePath("TRIGGER_PATH"),
            timeSince1970: microseconds("TRIGGER_TIMER_REALTIME_USEC").map { .microseconds($0) },
            instant: microseconds("TRIGGER_TIMER_MONOTONIC_USEC").map(MonotonicInstant.init(microseconds:))
        )
    }

    private mutating func microseconds(_ name: String) -> UInt64? {
        // UInt64.max is the manager's infinity.
        let reading = number(name, in: 0...UInt64.max - 1, meaning: "an instant in microseconds")
        guard case .number(let microseconds) = reading else { return nil }
        return microseconds
    }
}
