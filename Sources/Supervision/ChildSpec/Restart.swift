/// When a child that has ended by itself is started again.
///
/// - Note: Source: OTP `supervisor`, child specification key `restart`.
public enum Restart: Sendable, Hashable, CaseIterable {
    /// Always: whether its body returned or threw. The default, and right for servers.
    case permanent

    /// Only when its body threw. A body that returns has done its work.
    ///
    /// A `CancellationError` that nobody asked for counts as a failure.
    case transient

    /// Never, however it ends. The child is forgotten once it has ended.
    case temporary
}
