extension NotifyMessage {
    /// Gives descriptors to the manager to keep (`FDSTORE=1`, `FDNAME`, `FDPOLL=0`).
    ///
    /// They come back among the passed descriptors of the unit's next start. The unit needs
    /// `FileDescriptorStoreMax=`. ``DescriptorStore`` counts and names them for you.
    ///
    /// The message holds close-on-exec duplicates and closes them when its last copy has gone: right after
    /// sending, unless somebody keeps it. The originals stay the caller's and may be closed at once. What the
    /// manager keeps stays open until it is removed: a connection's other end sees no end before.
    ///
    /// - Parameters:
    ///   - descriptors: 1 to ``mostDescriptors``.
    ///   - name: The name of all of them, see ``DescriptorName``.
    ///   - keepsBroken: Whether the manager keeps a descriptor whose other end has gone (`FDPOLL=0`); false,
    ///     the manager's default, has it dropped as soon as it polls with a hang-up or an error.
    /// - Returns: The message.
    /// - Throws: ``SystemdError`` with code `wrongDescriptorCount`, `invalidName` as ``DescriptorName``
    ///   does, and `duplicationFailed` when one of them is not open or there is no room for another.
    /// - Note: Source: systemd `sd_pid_notify_with_fds`.
    public static func storeDescriptors(
        _ descriptors: [CInt],
        named name: String,
        keepsBroken: Bool = false
    ) throws(SystemdError) -> NotifyMessage {
        let name = try DescriptorName(name)
        var message =
            try NotifyMessage("FDSTORE", "1").carrying(descriptors) + NotifyMessage("FDNAME", name.text)
        if keepsBroken { message = message + NotifyMessage("FDPOLL", "0") }
        return message
    }

    /// Has the manager close every stored descriptor of a name (`FDSTOREREMOVE=1`, `FDNAME`).
    ///
    /// A name that nothing is stored under does no harm.
    ///
    /// - Parameter name: The name.
    /// - Returns: The message.
    /// - Throws: ``SystemdError`` with code `invalidName`, as ``DescriptorName`` does.
    public static func removeStored(named name: String) throws(SystemdError) -> NotifyMessage {
        NotifyMessage("FDSTOREREMOVE", "1") + NotifyMessage("FDNAME", try DescriptorName(name).text)
    }

    /// The unit's main process is another one from now on (`MAINPIDFD=1`), named by a descriptor of it.
    ///
    /// A process id may be another process by the time that it is read; a pidfd never is. Since systemd 257;
    /// an older manager ignores the message.
    ///
    /// - Parameter pidfd: What `pidfd_open` gave. It stays the caller's, see
    ///   ``storeDescriptors(_:named:keepsBroken:)``.
    /// - Returns: The message.
    /// - Throws: ``SystemdError`` with code `duplicationFailed` when it is not open.
    public static func mainProcess(pidfd: CInt) throws(SystemdError) -> NotifyMessage {
        try NotifyMessage("MAINPIDFD", "1").carrying([pidfd])
    }

    /// Asks for the end of a pipe to be closed when everything before has been processed (`BARRIER=1`).
    static func barrier(_ writeEnd: OwnedDescriptor) -> NotifyMessage {
        NotifyMessage("BARRIER", "1").carrying([writeEnd])
    }

    /// The most descriptors that one message carries; the kernel's limit.
    public static let mostDescriptors = 253

    private func carrying(_ descriptors: [CInt]) throws(SystemdError) -> NotifyMessage {
        guard (1...Self.mostDescriptors).contains(descriptors.count) else {
            throw Self.wrongCount(descriptors.count)
        }
        var duplicates: [OwnedDescriptor] = []
        for descriptor in descriptors { duplicates.append(try OwnedDescriptor(duplicating: descriptor)) }
        return carrying(duplicates)
    }

    /// What makes the message one that the manager would misread, or the kernel refuse.
    var problem: SystemdError? {
        if descriptors.count > Self.mostDescriptors { return Self.wrongCount(descriptors.count) }
        let purposes = assignments.map(\.name).filter(Self.descriptorPurposes.contains)
        if purposes.count > 1 {
            return SystemdError(
                .invalidVariable,
                "\(purposes.joined(separator: " and ")) are in one message, which carries descriptors for one "
                    + "purpose: send two"
            )
        }
        let names = assignments.filter { $0.name == "FDNAME" }
        if names.count > 1 {
            return SystemdError(
                .invalidVariable,
                "FDNAME is there \(names.count) times, and one message has one name for all: send \(names.count)"
            )
        }
        return nil
    }

    /// The variables that mean nothing without a descriptor.
    static let descriptorPurposes: Set<String> = ["FDSTORE", "BARRIER", "MAINPIDFD"]

    private static func wrongCount(_ count: Int) -> SystemdError {
        SystemdError(
            .wrongDescriptorCount,
            "the message has \(count) descriptors, where one carries 1 to \(mostDescriptors)"
        )
    }
}
