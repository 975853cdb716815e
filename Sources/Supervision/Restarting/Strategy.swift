/// Which children a supervisor starts again when one of them has failed.
///
/// - Note: Source: OTP `supervisor`, "Supervision strategy".
public enum Strategy: Sendable, Hashable, CaseIterable {
    /// Only the one that failed (OTP's `one_for_one`). For children that can do without each other.
    case oneForOne

    /// All of them (OTP's `one_for_all`). For children that are of no use without each other.
    ///
    /// The others are stopped in reverse order, then all are started in order.
    case oneForAll

    /// The one that failed and those that started after it (OTP's `rest_for_one`). For a row of children in
    /// which each depends on those above it.
    ///
    /// Those below are stopped in reverse order, then they are started in order. Those above are left alone.
    case restForOne
}
