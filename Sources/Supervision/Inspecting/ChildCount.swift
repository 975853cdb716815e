/// How many children a supervisor has.
///
/// - Note: Source: OTP `supervisor:count_children/1`.
public struct ChildCount: Sendable, Hashable {
    /// All of them, whether they run or not.
    public var specs: Int

    /// Those whose body runs, abandoned ones included.
    public var active: Int

    /// Those that are supervisors.
    public var supervisors: Int

    /// Those that are not.
    public var workers: Int
}
