/// How a service ended: for the commands that the manager runs after that.
///
/// - Note: Source: systemd `systemd.exec`, `$SERVICE_RESULT`, `$EXIT_CODE`, `$EXIT_STATUS`; since 232.
public struct ServiceOutcome: Sendable, Hashable {
    /// How the end of a process came about.
    public enum Exit: Sendable, Hashable {
        /// It ended by itself, with this status.
        case exited(status: Int32)
        /// A signal ended it: its name, such as `TERM`.
        case killed(signal: String)
        /// A signal ended it, and it left a core dump.
        case dumped(signal: String)
    }

    /// How the manager judges it (`SERVICE_RESULT`).
    public let result: ServiceResult

    /// How the main process ended (`EXIT_CODE`, `EXIT_STATUS`); `nil` where there was none that the manager knew.
    public let exit: Exit?

    /// Describes an end.
    ///
    /// - Parameters:
    ///   - result: How the manager judges it.
    ///   - exit: How the main process ended; not known by default.
    public init(_ result: ServiceResult, exit: Exit? = nil) {
        self.result = result
        self.exit = exit
    }
}

extension EnvironmentReader {
    /// How a service ended.
    ///
    /// - Parameter prefix: What the names of the three variables begin with.
    /// - Returns: Nil where nothing is told of that.
    mutating func outcome(_ prefix: String = "") -> ServiceOutcome? {
        // Without it the two others are somebody else's: their names are nothing special.
        guard let result = text("\(prefix)SERVICE_RESULT") else { return nil }
        return ServiceOutcome(ServiceResult(rawValue: result), exit: exit(prefix))
    }

    private mutating func exit(_ prefix: String) -> ServiceOutcome.Exit? {
        let (code, status) = ("\(prefix)EXIT_CODE", "\(prefix)EXIT_STATUS")
        switch text(code) {
        case nil:
            return nil
        case "exited":
            let reading = number(status, in: 0...255, meaning: "the exit status of a process")
            guard case .number(let number) = reading else { return nil }
            return .exited(status: Int32(number))
        case "killed":
            return signal(status).map { .killed(signal: $0) }
        case "dumped":
            return signal(status).map { .dumped(signal: $0) }
        default:
            report(code, "is not the way a process ends", "exited, killed or dumped")
            return nil
        }
    }

    private mutating func signal(_ name: String) -> String? {
        guard let signal = text(name) else {
            report(name, "is missing", "the name of a signal, such as TERM")
            return nil
        }
        return signal
    }
}
