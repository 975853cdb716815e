/// Which children a supervisor starts again when one of them has failed.
///
/// - Note: Source: OTP `supervisor`, "Supervision strategy".
public enum Strategy: Sendable, Hashable, CaseIterable {
    /// Only the one that failed (OTP's `one_for_one`). For children that can do without each other.
    case oneForOne
}
