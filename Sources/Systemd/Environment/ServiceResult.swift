/// How the manager judges the end of a service.
///
/// - Note: Source: systemd `systemd.exec`, `$SERVICE_RESULT`; the values are those of `Result=` in `systemctl show`.
public struct ServiceResult: Sendable, Hashable, RawRepresentable {
    /// The manager's own word, such as `exit-code`.
    public let rawValue: String

    /// Takes the manager's word for it, also one that is not known here.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// It ended as it should.
    public static let success = ServiceResult(rawValue: "success")

    /// It did not keep to the protocol of its `Type=`: without `READY=1`, for one.
    public static let `protocol` = ServiceResult(rawValue: "protocol")

    /// A start or a stop took too long.
    public static let timeout = ServiceResult(rawValue: "timeout")

    /// A process ended with a status other than zero.
    public static let exitCode = ServiceResult(rawValue: "exit-code")

    /// A process was ended by a signal.
    public static let signal = ServiceResult(rawValue: "signal")

    /// A process was ended by a signal, and left a core dump.
    public static let coreDump = ServiceResult(rawValue: "core-dump")

    /// It gave no sign of life in time.
    public static let watchdog = ServiceResult(rawValue: "watchdog")

    /// A command of `ExecCondition=` said no.
    public static let execCondition = ServiceResult(rawValue: "exec-condition")

    /// The kernel ended a process to get memory back.
    public static let outOfMemory = ServiceResult(rawValue: "oom-kill")

    /// It was started too often.
    public static let startLimitHit = ServiceResult(rawValue: "start-limit-hit")

    /// Something that it needs could not be had.
    public static let resources = ServiceResult(rawValue: "resources")
}

extension ServiceResult: CustomStringConvertible {
    /// The manager's own word.
    public var description: String { rawValue }
}
