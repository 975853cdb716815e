/// Whether a supervisor ends by itself when its significant children have ended.
///
/// For supervisors that stand for one piece of work: when the work is done, whatever was there to help with it
/// goes too. Which children are significant is said with ``Child/significant()``. Only an end of the child's own
/// counts, and only one after which it is not started again: a transient child that returns, a temporary one
/// however it ends. Being stopped, by a sibling's failure or by ``Supervisor/terminateChild(_:)``, does not.
///
/// The supervisor stops its other children in reverse order, and ``Supervisor/run()`` returns. A parent treats
/// that like any child that returns: a permanent supervisor is started again, a transient one is not. A
/// significant child that is *given up* ends the supervisor too, but as a failure.
///
/// - Note: Source: OTP `supervisor`, flag `auto_shutdown`.
public enum AutoShutdown: Sendable, Hashable, CaseIterable {
    /// Never. Then no child may be significant.
    case never

    /// When the first of its significant children has ended.
    case anySignificant

    /// When the last of its significant children has ended.
    case allSignificant
}
