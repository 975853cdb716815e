/// How the body of a child ended.
public enum ChildExit: Sendable {
    /// It returned.
    case returned

    /// It threw this error; a `CancellationError` where it gave in to a cancellation.
    case threw(any Error)

    /// The error thrown, if one was.
    public var error: (any Error)? {
        if case .threw(let error) = self { error } else { nil }
    }
}
