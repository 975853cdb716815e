/// One entry for the journal, encoded without any I/O.
///
/// ```swift
/// let entry = JournalEntry(
///     "the database is gone",
///     priority: .warning,
///     fields: [.errno(111), JournalField("DATABASE", "users")]
/// )
/// Journal().send(entry)
/// ```
///
/// The journal itself adds the time, the process, the unit and the user.
///
/// - Note: Source: systemd "Native Journal Protocol"; `systemd.journal-fields`.
public struct JournalEntry: Sendable, Hashable {
    /// The text for a person to read, of one or several lines (`MESSAGE`).
    public var message: String

    /// How grave it is (`PRIORITY`).
    public var priority: JournalPriority

    /// Everything else, in this order; several fields may have one name, and the entry then has all the values.
    public var fields: [JournalField]

    /// The most fields in one entry, its message and priority included.
    public static let mostFields = 1024

    /// The most bytes in one entry, as ``bytes`` has it: 32 MiB.
    ///
    /// That is what the journal takes from a sender without privileges. It only takes entries of more than a
    /// few hundred kilobytes where the system has memory files.
    public static let largestSize = 32 * 1024 * 1024

    /// Makes an entry.
    ///
    /// - Parameters:
    ///   - message: The text for a person to read.
    ///   - priority: How grave it is; ``JournalPriority/info`` by default.
    ///   - fields: Everything else; none by default.
    public init(_ message: String, priority: JournalPriority = .info, fields: [JournalField] = []) {
        self.message = message
        self.priority = priority
        self.fields = fields
    }
}
