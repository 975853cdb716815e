/// How a daemon's process ends, in the words of `sysexits.h`.
///
/// A stop that was asked for and went well is 0; everything else is not, so that `Restart=on-failure` starts the
/// service again. ``configuration`` is the one that starting again will not mend: in a service without a socket unit
/// name it in `RestartPreventExitStatus=78`.
///
/// A second SIGTERM or SIGINT ends the process at once, with 128 and the signal's number, as a shell would say it.
public struct ExitCode: RawRepresentable, Sendable, Hashable {
    /// The number that the process ends with.
    public var rawValue: Int32

    /// Makes a status from its number.
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// 0: the daemon was asked to stop, or its work was done (`AutoShutdown`), and every child has stopped.
    public static let clean = ExitCode(rawValue: 0)

    /// 69, `EX_UNAVAILABLE`: a child could not be started.
    public static let startFailed = ExitCode(rawValue: 69)

    /// 70, `EX_SOFTWARE`: a supervisor gave up, up to the top.
    public static let gaveUp = ExitCode(rawValue: 70)

    /// 75, `EX_TEMPFAIL`: some children were told to stop, and did not; or none could be told, because every thread of
    /// the cooperative pool was blocked.
    public static let childrenAbandoned = ExitCode(rawValue: 75)

    /// 78, `EX_CONFIG`: the tree could not be made, or a spec in it is wrong.
    ///
    /// Nothing was started.
    public static let configuration = ExitCode(rawValue: 78)

    /// The status that tells of an error.
    init(_ error: any Error) {
        self =
            switch (error as? SupervisorError)?.code {
            case .childFailedToStart: .startFailed
            case .gaveUp: .gaveUp
            case .childrenAbandoned: .childrenAbandoned
            default: .configuration
            }
    }
}
