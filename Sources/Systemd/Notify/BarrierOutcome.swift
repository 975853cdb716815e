/// What became of a ``Notifier/barrier(timeout:)``.
public enum BarrierOutcome: Sendable, Hashable {
    /// There is no manager; nothing was to be done.
    case notSupervised

    /// The manager has processed everything that was sent before, or has gone: the protocol does not tell the
    /// two apart.
    case passed

    /// The time was up first. The manager may still be on its way through what was sent.
    case timedOut

    /// The task was cancelled first.
    case cancelled

    /// The barrier did not reach the manager and will not; the error says why.
    case failed(SystemdError)
}
