/// What a child throws that a test has fail (``Faults``), unless the test gives it another error.
public struct InjectedFailure: Error, Hashable, CustomStringConvertible {
    /// The failure in words.
    public let description: String

    /// Makes a failure.
    public init(_ description: String = "failed by the test") {
        self.description = description
    }
}
