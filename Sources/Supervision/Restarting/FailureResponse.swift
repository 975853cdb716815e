/// What is to follow from an error that a child threw.
///
/// The answer of the function given to ``Child/onFailure(_:)``, for errors that should not simply be tried
/// again: a configuration that is wrong stays wrong.
///
/// - Note: OTP's counterpart is the exit reason with which a child ends.
public enum FailureResponse: Sendable, Hashable, CaseIterable {
    /// What ``Restart``, limits and the ``RestartIntensity`` say.
    ///
    /// For a child whose first start failed that is: the start of the tree has failed.
    case restart

    /// The child is not started again; everything else goes on without it.
    ///
    /// Where its first start failed, too.
    case giveUpChild

    /// The supervisor stops its children and fails, and its own parent decides.
    case giveUpSupervisor
}
