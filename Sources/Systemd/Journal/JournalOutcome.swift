/// What became of an entry for the journal.
///
/// None of these says that the journal kept it: the protocol has no answer, and the journal limits the rate of
/// what a service says (`LogRateLimitIntervalSec=`).
public enum JournalOutcome: Sendable, Hashable {
    /// The kernel holds the entry for the journal.
    case sent

    /// There is no journal; nothing was to be done. Nothing is counted as lost.
    case noJournal

    /// The journal is not reading just now, and the entry is lost.
    case dropped

    /// The entry did not leave, and is lost; the error says why.
    case failed(SystemdError)
}
