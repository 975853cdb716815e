import CSupervision

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension ServiceEnvironment {
    /// Takes what the service manager told this process out of the real environment, once.
    ///
    /// Call it at the very start of `main`, before the first task or thread: it unsets variables, and
    /// `unsetenv` races with a `getenv` on another thread. Every later call, from anywhere, returns the same
    /// snapshot.
    ///
    /// - Every passed descriptor is made close-on-exec, so that children inherit none. If one of them is not
    ///   open the list is wrong as a whole: no descriptor is used, and a problem names the one.
    /// - `LISTEN_PID`, `LISTEN_PIDFDID`, `LISTEN_FDS`, `LISTEN_FDNAMES`, `NOTIFY_SOCKET`, `WATCHDOG_USEC` and
    ///   `WATCHDOG_PID` are unset, so that children do not answer in this process's name. `INVOCATION_ID` and
    ///   `SYSTEMD_EXEC_PID` stay.
    ///
    /// - Returns: The snapshot: empty, without a problem, when there is no manager.
    /// - Note: Source: systemd `sd_listen_fds`, `sd_notify`, `sd_watchdog_enabled`, each with its unset flag.
    public static func take() -> ServiceEnvironment {
        given ?? Snapshot.taken
    }

    /// What a test gives instead to the code that it runs, and to its tasks.
    @TaskLocal package static var given: ServiceEnvironment?

    private enum Snapshot {
        static let taken = ServiceEnvironment.takeNow()
    }

    /// What ``take()`` does, every time it is called.
    static func takeNow(firstDescriptor: CInt = 3) -> ServiceEnvironment {
        let environment = ServiceEnvironment(
            taking: readVariables(),
            process: .current,
            firstDescriptor: firstDescriptor
        )
        for name in ownedVariables { unsetenv(name) }
        return environment
    }

    /// The pure parse, and then close-on-exec for the real descriptors.
    init(taking variables: [String: String], process: ProcessIdentity, firstDescriptor: CInt) {
        let parsed = ServiceEnvironment(
            variables: variables,
            process: process,
            firstDescriptor: firstDescriptor
        )
        let numbers = firstDescriptor..<firstDescriptor + CInt(parsed.descriptorNames.count)
        guard let failed = numbers.first(where: { !Self.closeOnExec($0) }) else {
            self = parsed
            return
        }
        self = parsed.refusingDescriptors(
            EnvironmentProblem(
                variable: "LISTEN_FDS",
                value: variables["LISTEN_FDS"] ?? "",
                reason: "counts descriptor \(failed), which is not open",
                remedy: "descriptors \(numbers.lowerBound) to \(numbers.upperBound - 1) open"
            )
        )
    }

    private static func closeOnExec(_ descriptor: CInt) -> Bool {
        let flags = fcntl(descriptor, F_GETFD)
        return flags >= 0 && fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC) >= 0
    }

    private static let ownedVariables = [
        "LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES",
        "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
    ]

    /// The real environment.
    ///
    /// Of a variable that is there twice, the first counts, as for `getenv`.
    private static func readVariables() -> [String: String] {
        var variables: [String: String] = [:]
        guard var entry = csupervision_environment() else { return variables }
        while let text = entry.pointee {
            // A repaired character makes another name or path of it; it then fails to match or to connect.
            // By bytes, for a character may be an equals sign and an accent.
            let parts = String(cString: text).utf8.split(
                separator: UInt8(ascii: "="),
                maxSplits: 1,
                omittingEmptySubsequences: false
            ).map { String(Substring($0)) }
            if parts.count == 2, variables[parts[0]] == nil { variables[parts[0]] = parts[1] }
            entry += 1
        }
        return variables
    }
}
