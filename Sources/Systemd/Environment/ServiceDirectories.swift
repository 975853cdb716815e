/// The directories that the manager made for the service, which has them to itself.
///
/// ```swift
/// let state = ServiceEnvironment.take().directories.state.first ?? "."
/// ```
///
/// Each list has absolute paths in the manager's order, and is empty where the unit asks for none. systemd
/// sorts them, whatever their order in the unit: tell several of a kind apart by their names. They exist when
/// the service starts, and belong to its user (those for configuration to root). A path with a colon in it
/// comes as two: the manager has no sign for it.
///
/// - Note: Source: systemd `systemd.exec`, `RuntimeDirectory=` and the four after it.
public struct ServiceDirectories: Sendable, Hashable {
    /// For what lasts as long as the service runs (`RuntimeDirectory=`, `RUNTIME_DIRECTORY`): `/run/…`.
    public let runtime: [String]

    /// For what must not be lost (`StateDirectory=`, `STATE_DIRECTORY`): `/var/lib/…`.
    public let state: [String]

    /// For what can be made again (`CacheDirectory=`, `CACHE_DIRECTORY`): `/var/cache/…`.
    public let cache: [String]

    /// For logs of the service's own (`LogsDirectory=`, `LOGS_DIRECTORY`): `/var/log/…`.
    public let logs: [String]

    /// For its configuration (`ConfigurationDirectory=`, `CONFIGURATION_DIRECTORY`): `/etc/…`.
    public let configuration: [String]

    /// Names directories.
    ///
    /// - Parameters:
    ///   - runtime: For what lasts as long as the service runs; none by default.
    ///   - state: For what must not be lost; none by default.
    ///   - cache: For what can be made again; none by default.
    ///   - logs: For logs of the service's own; none by default.
    ///   - configuration: For its configuration; none by default.
    public init(
        runtime: [String] = [],
        state: [String] = [],
        cache: [String] = [],
        logs: [String] = [],
        configuration: [String] = []
    ) {
        self.runtime = runtime
        self.state = state
        self.cache = cache
        self.logs = logs
        self.configuration = configuration
    }
}

extension EnvironmentReader {
    mutating func directories() -> ServiceDirectories {
        ServiceDirectories(
            runtime: paths("RUNTIME_DIRECTORY"),
            state: paths("STATE_DIRECTORY"),
            cache: paths("CACHE_DIRECTORY"),
            logs: paths("LOGS_DIRECTORY"),
            configuration: paths("CONFIGURATION_DIRECTORY")
        )
    }

    private mutating func paths(_ name: String) -> [String] {
        guard let value = text(name) else { return [] }
        let paths = Self.parts(value)
        guard paths.allSatisfy(Self.isAbsolutePath) else {
            report(name, "has what is not an absolute path", "absolute paths with a colon between two")
            return []
        }
        return paths
    }
}
