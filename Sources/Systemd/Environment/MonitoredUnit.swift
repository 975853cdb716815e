/// The unit whose end started this one (`OnFailure=`, `OnSuccess=`).
///
/// Where several units could have been it, the manager tells none.
///
/// - Note: Source: systemd `systemd.exec`, `$MONITOR_UNIT` and those around it; since 251.
public struct MonitoredUnit: Sendable, Hashable {
    /// Its name, such as `hello.service` (`MONITOR_UNIT`).
    public let unit: String

    /// How it ended (`MONITOR_SERVICE_RESULT`, `MONITOR_EXIT_CODE`, `MONITOR_EXIT_STATUS`).
    public let outcome: ServiceOutcome?

    /// The id of the run that ended (`MONITOR_INVOCATION_ID`): to find its lines in the journal by.
    public let invocationID: String?

    /// Describes a unit that has ended.
    ///
    /// - Parameters:
    ///   - unit: Its name.
    ///   - outcome: How it ended; not known by default.
    ///   - invocationID: The id of the run that ended; not known by default.
    public init(unit: String, outcome: ServiceOutcome? = nil, invocationID: String? = nil) {
        self.unit = unit
        self.outcome = outcome
        self.invocationID = invocationID
    }
}

extension EnvironmentReader {
    mutating func monitoredUnit() -> MonitoredUnit? {
        guard let unit = text("MONITOR_UNIT") else { return nil }
        return MonitoredUnit(
            unit: unit,
            outcome: outcome("MONITOR_"),
            invocationID: invocationID("MONITOR_INVOCATION_ID")
        )
    }
}
