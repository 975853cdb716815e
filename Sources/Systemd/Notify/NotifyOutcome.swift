/// What became of a notification.
///
/// None of these says that the manager accepted it: the protocol has no answer. A service that only wants to
/// be polite to whoever started it may ignore the outcome.
public enum NotifyOutcome: Sendable, Hashable {
    /// There is no manager; nothing was to be done.
    case notSupervised

    /// The kernel holds the message for the manager.
    case sent

    /// The manager is not reading just now: the message is kept, in order, and leaves as soon as it can.
    case queued

    /// The manager has not been reading for so long that the queue is full of messages as important as this
    /// one.
    case dropped

    /// The message did not leave and will not; the error says why.
    case failed(SystemdError)
}
