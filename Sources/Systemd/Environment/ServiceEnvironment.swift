/// One snapshot of what the service manager told this process.
///
/// An application takes it once, at the very start of `main`, with ``take()``. Tests, and supervisors other
/// than systemd, make one from a dictionary.
///
/// ```swift
/// let environment = ServiceEnvironment.take()
/// let notifier = Notifier(address: environment.notifyAddress)
/// let sockets = PassedDescriptors(environment.descriptors)
/// ```
///
/// A variable that is absent or empty means "nothing told". A malformed one means the same, and adds to
/// ``problems``.
public struct ServiceEnvironment: Sendable {
    /// Where notifications go (`NOTIFY_SOCKET`); `nil` when nobody wants any.
    public let notifyAddress: NotifyAddress?

    /// The keep-alive that the manager expects (`WATCHDOG_USEC`, `WATCHDOG_PID`); `nil` when it expects none.
    public let watchdog: WatchdogSettings?

    /// How many descriptors the manager keeps for this unit (`FDSTORE`); `nil` when it keeps none, or is older
    /// than systemd 254 and does not tell.
    public let descriptorStoreLimit: Int?

    /// The id of this run of the unit (`INVOCATION_ID`): 32 hexadecimal digits.
    public let invocationID: String?

    /// The directories that the manager made for the service (`STATE_DIRECTORY` and the like).
    public let directories: ServiceDirectories

    /// The secrets and settings that the manager gave to the service (`CREDENTIALS_DIRECTORY`).
    public let credentials: Credentials

    /// The stream by which the journal reads what the process prints (`JOURNAL_STREAM`); `nil` when there is
    /// none.
    public let journalStream: JournalStream?

    /// The namespace of the journal that the unit logs to (`LOG_NAMESPACE`); `nil` for the system's journal.
    public let logNamespace: String?

    /// What started the service (`TRIGGER_UNIT` and those after it); `nil` when it was no other unit.
    public let trigger: ServiceTrigger?

    /// Whose connection the service was started for (`REMOTE_ADDR`, `REMOTE_PORT`); `nil` when it was not started for
    /// one, or the peer has no address.
    public let remotePeer: RemotePeer?

    /// How the service ended (`SERVICE_RESULT` and those after it); `nil` but for commands of `ExecStop=` and
    /// `ExecStopPost=`.
    public let outcome: ServiceOutcome?

    /// Whose end started this unit (`MONITOR_UNIT` and those around it); `nil` but for units of `OnFailure=` and
    /// `OnSuccess=`.
    public let monitoredUnit: MonitoredUnit?

    /// The main process of the service (`MAINPID`, `MAINPIDFDID`), where the manager tells it: to commands of
    /// `ExecReload=`, `ExecStop=` and the like.
    public let mainProcess: ProcessIdentity?

    /// The process of the manager (`MANAGERPID`, `MANAGERPIDFDID`), where it is one of a user.
    public let managerProcess: ProcessIdentity?

    /// Whether to log all that there is (`DEBUG_INVOCATION`): with `RestartMode=debug` the manager asks for it
    /// after a failure.
    public let isDebugInvocation: Bool

    /// Whether the manager itself started this process, and not another process of the service
    /// (`SYSTEMD_EXEC_PID`).
    public let isMainProcess: Bool

    /// Whether this process was started by a service manager as a service.
    ///
    /// True when there is an address for notifications, when descriptors were passed, or when `INVOCATION_ID`
    /// is set and this is the ``isMainProcess``. Children of a service inherit these two, but have another
    /// pid.
    public let isUnderManager: Bool

    /// All variables, those of the protocol included: a snapshot that no other thread can change.
    public let variables: [String: String]

    /// The variables that could not be used, in the order in which they were read.
    public private(set) var problems: [EnvironmentProblem]

    let pressureSettings: [PressureResource: PressureSetting]
    private(set) var descriptorNames: [String]
    let firstDescriptor: CInt
    private var given: [PassedDescriptor] = []

    /// The descriptors passed to this process, in the manager's order (`LISTEN_FDS`, `LISTEN_FDNAMES`).
    ///
    /// Empty when none were passed, and when `LISTEN_PID` or `LISTEN_PIDFDID` names another process. Each
    /// access asks the kernel anew what the descriptors are.
    public var descriptors: [PassedDescriptor] {
        guard given.isEmpty else { return given }
        return descriptorNames.enumerated().map { offset, name in
            PassedDescriptor(number: CInt(clamping: Int(firstDescriptor) + offset), name: name)
        }
    }

    /// Reads a snapshot from variables: a function of its arguments alone.
    ///
    /// No descriptor is touched and nothing is unset; ``take()`` does that to the real environment.
    ///
    /// - Parameters:
    ///   - variables: The environment.
    ///   - process: Whom the variables must name; the calling process by default.
    ///   - firstDescriptor: The number of the first passed descriptor; 3, as in the protocol, by default.
    public init(
        variables: [String: String],
        process: ProcessIdentity = .current,
        firstDescriptor: CInt = 3
    ) {
        var reader = EnvironmentReader(variables)
        notifyAddress = reader.notifyAddress()
        watchdog = reader.watchdog(pid: process.pid)
        descriptorNames = reader.descriptorNames(for: process)
        descriptorStoreLimit = reader.descriptorStoreLimit()
        pressureSettings = reader.pressureSettings()
        invocationID = reader.invocationID("INVOCATION_ID")
        directories = reader.directories()
        credentials = Credentials(directory: reader.absolutePath("CREDENTIALS_DIRECTORY"))
        journalStream = reader.journalStream()
        logNamespace = reader.text("LOG_NAMESPACE")
        trigger = reader.trigger()
        remotePeer = reader.remotePeer()
        outcome = reader.outcome()
        monitoredUnit = reader.monitoredUnit()
        mainProcess = reader.process("MAINPID", inode: "MAINPIDFDID")
        managerProcess = reader.process("MANAGERPID", inode: "MANAGERPIDFDID")
        isDebugInvocation = reader.debugInvocation()
        isMainProcess = reader.namesProcess("SYSTEMD_EXEC_PID", pid: process.pid) == true
        isUnderManager =
            notifyAddress != nil || !descriptorNames.isEmpty || (invocationID != nil && isMainProcess)
        problems = reader.problems
        self.variables = variables
        self.firstDescriptor = firstDescriptor
    }

    /// The snapshot of a process that was started with these descriptors, whatever their numbers.
    package init(variables: [String: String], descriptors: [PassedDescriptor]) {
        var variables = variables
        if !descriptors.isEmpty {
            variables["LISTEN_PID"] = "\(ProcessIdentity.current.pid)"
            variables["LISTEN_FDS"] = "\(descriptors.count)"
            variables["LISTEN_FDNAMES"] = descriptors.map(\.name).joined(separator: ":")
        }
        self.init(variables: variables)
        given = descriptors
    }

    /// The same snapshot with its descriptors refused as a whole.
    func refusingDescriptors(_ problem: EnvironmentProblem) -> ServiceEnvironment {
        var other = self
        other.descriptorNames = []
        other.problems.append(problem)
        return other
    }
}

extension EnvironmentReader {
    fileprivate mutating func notifyAddress() -> NotifyAddress? {
        guard let value = text("NOTIFY_SOCKET") else { return nil }
        do {
            return try NotifyAddress(value)
        } catch {
            report(
                "NOTIFY_SOCKET",
                error.message,
                "the path of a socket, @ and an abstract name, or vsock:CID:PORT"
            )
            return nil
        }
    }

    fileprivate mutating func watchdog(pid: Int32) -> WatchdogSettings? {
        // UInt64.max is the manager's infinity.
        let range = 1...UInt64.max - 1
        let reading = number("WATCHDOG_USEC", in: range, meaning: "a time-out in microseconds")
        guard case .number(let microseconds) = reading else { return nil }
        guard namesProcess("WATCHDOG_PID", pid: pid) ?? true else { return nil }
        return WatchdogSettings(timeout: .microseconds(microseconds))
    }

    fileprivate mutating func descriptorStoreLimit() -> Int? {
        // The unit's setting is a C unsigned.
        let range = 1...UInt64(UInt32.max)
        let reading = number("FDSTORE", in: range, meaning: "how many descriptors the manager keeps")
        guard case .number(let limit) = reading else { return nil }
        return Int(clamping: limit)
    }

    mutating func invocationID(_ name: String) -> String? {
        guard let value = text(name) else { return nil }
        guard value.utf8.count == 32, value.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
            report(name, "is not an id", "32 hexadecimal digits")
            return nil
        }
        return value
    }

    fileprivate mutating func journalStream() -> JournalStream? {
        guard let value = text("JOURNAL_STREAM") else { return nil }
        let numbers = value.split(separator: ":", omittingEmptySubsequences: false).map(Self.plainNumber)
        guard numbers.count == 2, let device = numbers[0], let inode = numbers[1] else {
            report(
                "JOURNAL_STREAM",
                "is not a stream",
                "the numbers of a device and an inode, a colon between"
            )
            return nil
        }
        return JournalStream(device: device, inode: inode)
    }

    fileprivate mutating func debugInvocation() -> Bool {
        let reading = number("DEBUG_INVOCATION", in: 0...1, meaning: "whether to log everything")
        return reading == .number(1)
    }

    /// The name of each descriptor passed to `process`.
    fileprivate mutating func descriptorNames(for process: ProcessIdentity) -> [String] {
        // Of another process, or of nobody: the descriptors with these numbers are something else altogether.
        guard namesProcess("LISTEN_PID", pid: process.pid) == true else { return [] }
        switch number("LISTEN_PIDFDID", in: 1...UInt64.max, meaning: "the inode of a pidfd") {
        case .absent: break
        case .malformed: return []
        case .number(let inode): if let own = process.pidfdInode, own != inode { return [] }
        }

        let reading = number("LISTEN_FDS", in: 1...Self.mostDescriptors, meaning: "a count of descriptors")
        guard case .number(let number) = reading else { return [] }
        let count = Int(number)

        // Absent, the names are unknown; empty, it is one name that is empty.
        guard let list = variables["LISTEN_FDNAMES"] else {
            return Array(repeating: PassedDescriptor.unknownName, count: count)
        }
        let names = Self.parts(list)
        guard names.count == count else {
            report(
                "LISTEN_FDNAMES",
                "has \(names.count) names where LISTEN_FDS is \(count)",
                "\(count) names with a colon between two"
            )
            return []
        }
        return names
    }

    // The protocol allows INT_MAX - 3, the kernel by default this many (fs.nr_open): a larger number is
    // hostile text, and must not make us fill the memory with names.
    private static let mostDescriptors: UInt64 = 1_048_576
}
