#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A signal that asks the daemon to stop.
package enum StopSignal: CaseIterable, Sendable, CustomStringConvertible {
    case terminate
    case interrupt

    var number: CInt {
        switch self {
        case .terminate: SIGTERM
        case .interrupt: SIGINT
        }
    }

    package var description: String {
        switch self {
        case .terminate: "SIGTERM"
        case .interrupt: "SIGINT"
        }
    }

    /// What a shell shows of a process that this signal ended.
    var exitCode: ExitCode { ExitCode(rawValue: 128 + number) }
}
