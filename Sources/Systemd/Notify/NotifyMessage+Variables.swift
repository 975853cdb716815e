extension NotifyMessage {
    /// The service is up, or a reload is over (`READY=1`).
    ///
    /// Send it once per start, when everything that it vouches for serves; there is no taking it back.
    public static let ready = NotifyMessage("READY", "1")

    /// The service is going down (`STOPPING=1`).
    ///
    /// Send it first, before draining. It starts the unit's `TimeoutStopSec=` clock if the manager did not
    /// ask for the stop, disarms the watchdog and, since systemd 259, nothing takes a unit back: never send
    /// it for a reload.
    public static let stopping = NotifyMessage("STOPPING", "1")

    /// The service reloads its configuration, from now on (`RELOADING=1`, `MONOTONIC_USEC`).
    ///
    /// Reads the clock: make it when the reload begins. ``ready`` must follow, after a failed reload too.
    ///
    /// - Returns: The message.
    public static func reloading() -> NotifyMessage {
        reloading(at: .now)
    }

    /// The service reloads its configuration, since a given instant (`RELOADING=1`, `MONOTONIC_USEC`).
    ///
    /// - Parameter instant: When the reload began, on `CLOCK_MONOTONIC`. Under `Type=notify-reload` the
    ///   manager ignores a message with an instant before its own request, and the reload then hangs to its
    ///   time-out.
    /// - Returns: The message.
    public static func reloading(at instant: MonotonicInstant) -> NotifyMessage {
        NotifyMessage("RELOADING", "1") + NotifyMessage("MONOTONIC_USEC", String(instant.microseconds))
    }

    /// One line that tells a person how the service is doing (`STATUS`).
    ///
    /// - Parameter text: Any text; an empty one clears the status. Newlines and control characters become
    ///   spaces, and more than 2048 bytes are cut between two characters.
    /// - Returns: The message.
    public static func status(_ text: String) -> NotifyMessage {
        NotifyMessage("STATUS", StatusText.clean(text))
    }

    /// A sign of life (`WATCHDOG=1`).
    public static let watchdog = NotifyMessage("WATCHDOG", "1")

    /// Asks the manager to act at once as if a sign of life had been missed (`WATCHDOG=trigger`).
    ///
    /// It works without `WatchdogSec=`, and ends this process: `SIGABRT` by default.
    public static let watchdogTrigger = NotifyMessage("WATCHDOG", "trigger")

    /// Changes the watchdog's time-out for the rest of this run (`WATCHDOG_USEC`).
    ///
    /// - Parameter timeout: The new time-out, on the manager's monotonic clock, rounded up to a microsecond; zero or
    ///   less switches the watchdog off.
    /// - Returns: The message.
    public static func watchdogTimeout(_ timeout: Duration) -> NotifyMessage {
        NotifyMessage("WATCHDOG_USEC", String(timeout.wholeMicroseconds))
    }

    /// Promises to speak again within some time, while starting or stopping takes long
    /// (`EXTEND_TIMEOUT_USEC`).
    ///
    /// Must be repeated before it is over. It matters only past the unit's own time-out for the phase.
    ///
    /// - Parameter duration: From the manager's receipt on, on its monotonic clock; rounded up to a
    ///   microsecond. The manager ignores zero, which is what a negative one becomes.
    /// - Returns: The message.
    public static func extendTimeout(by duration: Duration) -> NotifyMessage {
        NotifyMessage("EXTEND_TIMEOUT_USEC", String(duration.wholeMicroseconds))
    }

    /// The error number that explains a failure (`ERRNO`).
    ///
    /// - Parameter number: A value of `errno`, such as `ENOENT`.
    /// - Returns: The message.
    public static func errno(_ number: CInt) -> NotifyMessage {
        NotifyMessage("ERRNO", String(number))
    }

    /// The D-Bus error that explains a failure (`BUSERROR`).
    ///
    /// - Parameter name: A D-Bus error name, such as `org.freedesktop.DBus.Error.TimedOut`.
    /// - Returns: The message.
    /// - Throws: ``SystemdError`` with code `invalidVariable` when the name is not one.
    public static func busError(_ name: String) throws(SystemdError) -> NotifyMessage {
        let elements = name.split(separator: ".", omittingEmptySubsequences: false)
        guard elements.count >= 2, name.utf8.count <= 255, elements.allSatisfy(isBusNameElement) else {
            throw SystemdError(
                .invalidVariable,
                "BUSERROR \(name.quotedForMessage) is not a D-Bus error name: two or more words of letters, digits and _ "
                    + "with dots between, 255 bytes at most"
            )
        }
        return NotifyMessage("BUSERROR", name)
    }

    /// The Varlink error that explains a failure (`VARLINKERROR`).
    ///
    /// Since systemd 257; an older manager ignores it.
    ///
    /// - Parameter name: A Varlink error name, such as `org.varlink.service.MethodNotFound`.
    /// - Returns: The message.
    /// - Throws: ``SystemdError`` with code `invalidVariable` when the name is not one.
    public static func varlinkError(_ name: String) throws(SystemdError) -> NotifyMessage {
        let words = name.split(separator: ".", omittingEmptySubsequences: false)
        guard words.count >= 3, name.utf8.count <= 255, isVarlinkMember(words[words.count - 1]),
            words.dropLast().allSatisfy(isVarlinkWord), words[0].utf8.first.map(isLetter) == true
        else {
            throw SystemdError(
                .invalidVariable,
                "VARLINKERROR \(name.quotedForMessage) is not a Varlink error name: two or more words of letters, "
                    + "digits and inner hyphens and one that begins with a capital, with dots between, 255 bytes at most"
            )
        }
        return NotifyMessage("VARLINKERROR", name)
    }

    /// The unit's main process is another one from now on (`MAINPID`).
    ///
    /// - Parameter pid: The process's id, in the manager's eyes.
    /// - Returns: The message.
    public static func mainProcess(_ pid: Int32) -> NotifyMessage {
        NotifyMessage("MAINPID", String(pid))
    }

    /// The unit's main process is another one from now on (`MAINPID`, `MAINPIDFDID`).
    ///
    /// - Parameter process: The process; with the inode of its pidfd the manager, since systemd 257, sees when
    ///   the id has gone to another process meanwhile.
    /// - Returns: The message.
    public static func mainProcess(_ process: ProcessIdentity) -> NotifyMessage {
        guard let inode = process.pidfdInode else { return mainProcess(process.pid) }
        return mainProcess(process.pid) + NotifyMessage("MAINPIDFDID", String(inode))
    }

    /// Changes whose messages the manager takes, for the rest of this run (`NOTIFYACCESS`).
    ///
    /// Since systemd 254; an older manager ignores it.
    ///
    /// - Parameter access: Whose.
    /// - Returns: The message.
    public static func notifyAccess(_ access: NotifyAccess) -> NotifyMessage {
        NotifyMessage("NOTIFYACCESS", access.rawValue)
    }

    /// Has the manager count restarts from zero again (`RESTART_RESET=1`).
    ///
    /// Send it when the service has shown that it is well: the delays of `RestartSteps=` then begin anew. The
    /// manager ignores it while the service is still starting. Since systemd 258; an older one always does.
    public static let restartReset = NotifyMessage("RESTART_RESET", "1")

    /// The status with which a service or a manager is about to exit (`EXIT_STATUS`).
    ///
    /// - Parameter status: The exit status; for the reader's information only.
    /// - Returns: The message.
    public static func exitStatus(_ status: Int) -> NotifyMessage {
        NotifyMessage("EXIT_STATUS", String(status))
    }

    /// Any other variable: a newer manager's, or one of your own with the prefix `X_`.
    ///
    /// - Parameters:
    ///   - name: Capital letters, digits and `_`, not beginning with a digit.
    ///   - value: One line of text without a NUL; the manager ends a line at a carriage return too.
    /// - Returns: The message.
    /// - Throws: ``SystemdError`` with code `invalidVariable` when the name or the value is not as above (the
    ///   manager would read something else), and for `FDSTORE`, `BARRIER` and `MAINPIDFD`, which mean nothing
    ///   without a descriptor.
    public static func variable(_ name: String, _ value: String) throws(SystemdError) -> NotifyMessage {
        guard isVariableName(name) else {
            throw SystemdError(
                .invalidVariable,
                "\(name.quotedForMessage) is not a variable's name: capital letters, digits and _, not a digit first"
            )
        }
        guard !descriptorPurposes.contains(name) else {
            throw SystemdError(
                .invalidVariable,
                "\(name) goes with a descriptor, and a variable of this name would come without: use the message's "
                    + "or notifier's function for it"
            )
        }
        let breaks: [UInt8] = [0, UInt8(ascii: "\n"), UInt8(ascii: "\r")]
        guard !value.utf8.contains(where: breaks.contains) else {
            throw SystemdError(
                .invalidVariable,
                "\(name)=\(value.quotedForMessage) has a newline, a carriage return or a NUL in it: a value is one "
                    + "line of text"
            )
        }
        return NotifyMessage(name, value)
    }

    private static func isVariableName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !isDigit(first) else { return false }
        return name.utf8.allSatisfy { isCapital($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
    }

    private static func isBusNameElement(_ element: Substring) -> Bool {
        guard let first = element.utf8.first, !isDigit(first) else { return false }
        return element.utf8.allSatisfy {
            isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "_")
        }
    }

    private static func isVarlinkWord(_ word: Substring) -> Bool {
        guard let first = word.utf8.first, let last = word.utf8.last else { return false }
        let hyphen = UInt8(ascii: "-")
        return first != hyphen && last != hyphen
            && word.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == hyphen }
    }

    private static func isVarlinkMember(_ word: Substring) -> Bool {
        word.utf8.first.map(isCapital) == true && word.utf8.allSatisfy { isLetter($0) || isDigit($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        byte < 0x80 && isCapital(byte & ~0x20)
    }

    private static func isCapital(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
