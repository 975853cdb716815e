/// How grave an entry of the journal is: syslog's levels, from `emergency` (0) to `debug` (7).
///
/// The journal takes a line or an entry without one for ``info``.
public enum JournalPriority: Int, Sendable, Hashable, CaseIterable {
    /// The system cannot be used.
    case emergency = 0
    /// Somebody must act at once.
    case alert = 1
    /// A critical condition.
    case critical = 2
    /// An error.
    case error = 3
    /// Something that may become an error.
    case warning = 4
    /// Normal, and worth attention.
    case notice = 5
    /// Information.
    case info = 6
    /// What helps to find a mistake in the program.
    case debug = 7
}
