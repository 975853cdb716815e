/// What a supervisor is going to throw when it has stopped.
struct SupervisorEnding {
    private var failure: SupervisorError

    /// Describes the failure of a child.
    ///
    /// Where the failing child is a supervisor, its error already tells the deepest child and what that one
    /// threw; it is passed on rather than wrapped. One that is about others, such as the answer to a call that the
    /// child made, is what the child threw, like any error.
    init(_ code: SupervisorError.Code, at path: ChildPath, error: (any Error)?, details: [String] = []) {
        if let nested = error as? SupervisorError, nested.path.ids.starts(with: path.ids) {
            failure = SupervisorError(
                code,
                path: nested.path,
                underlying: nested.underlying,
                details: nested.details
            )
        } else {
            failure = SupervisorError(code, path: path, underlying: error, details: details)
        }
    }

    /// The error, with those that were left running.
    func error(abandoned: [ChildPath]) -> SupervisorError {
        var error = failure
        error.abandoned = abandoned
        return error
    }
}
