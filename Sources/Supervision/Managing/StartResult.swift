/// What became of a child that was to be started.
public enum StartResult: Sendable, Hashable {
    /// It has started.
    case started

    /// It returned before it had started: it did its work during the start and has nothing to run.
    ///
    /// OTP calls this `ignore`.
    case ignored
}
