extension JournalField {
    /// What kind of message this is, for programs that look for it (`MESSAGE_ID`).
    ///
    /// Make a number for each kind once, with `systemd-id128 new`, and keep it for ever:
    /// `journalctl MESSAGE_ID=…` then finds every message of the kind, whatever its text.
    ///
    /// - Parameter id: The number, such as `0x8d45620c1a4348dbb17410da57c60c66`.
    /// - Returns: The field: 32 lower-case hexadecimal digits.
    public static func messageID(_ id: UInt128) -> JournalField {
        let digits = String(id, radix: 16)
        return JournalField(known: "MESSAGE_ID", String(repeating: "0", count: 32 - digits.count) + digits)
    }

    /// The source file that the entry comes from (`CODE_FILE`).
    ///
    /// - Parameter file: The file's name; by default the caller's, as `#fileID` has it.
    /// - Returns: The field.
    public static func codeFile(_ file: String = #fileID) -> JournalField {
        JournalField(known: "CODE_FILE", file)
    }

    /// The line in the source file (`CODE_LINE`).
    ///
    /// - Parameter line: The line's number; by default the caller's.
    /// - Returns: The field.
    public static func codeLine(_ line: Int = #line) -> JournalField {
        JournalField(known: "CODE_LINE", String(line))
    }

    /// The function that the entry comes from (`CODE_FUNC`).
    ///
    /// - Parameter function: The function's name; by default the caller's.
    /// - Returns: The field.
    public static func codeFunction(_ function: String = #function) -> JournalField {
        JournalField(known: "CODE_FUNC", function)
    }

    /// The error number that explains a failure (`ERRNO`).
    ///
    /// - Parameter number: A value of `errno`, such as `ENOENT`.
    /// - Returns: The field.
    public static func errno(_ number: CInt) -> JournalField {
        JournalField(known: "ERRNO", String(number))
    }

    /// The name before the colon in `journalctl`'s lines (`SYSLOG_IDENTIFIER`).
    ///
    /// Label a part of a program with this, and never with `UNIT`, which says that a manager speaks about a
    /// unit.
    ///
    /// - Parameter identifier: The name; the journal shows the process's own for an entry without one.
    /// - Returns: The field.
    public static func syslogIdentifier(_ identifier: String) -> JournalField {
        JournalField(known: "SYSLOG_IDENTIFIER", identifier)
    }

    /// Where a person reads what to do about it (`DOCUMENTATION`).
    ///
    /// - Parameter address: A URL: `https:`, `man:`, `info:` or `file:`.
    /// - Returns: The field.
    public static func documentation(_ address: String) -> JournalField {
        JournalField(known: "DOCUMENTATION", address)
    }
}
