/// A variable from the service manager that could not be used.
///
/// What the variable would have said is treated as not said: a malformed environment never ends the process.
/// Log these once at start.
public struct EnvironmentProblem: Sendable, Hashable {
    /// The variable's name, such as `LISTEN_FDS`.
    public let variable: String

    /// Its value, just as it was found.
    ///
    /// Untrusted text: ``description`` escapes it.
    public let value: String

    /// What is wrong with it.
    public let reason: String

    /// What would be right.
    public let remedy: String

    /// Describes a problem.
    ///
    /// - Parameters:
    ///   - variable: The variable's name.
    ///   - value: Its value, just as it was found.
    ///   - reason: What is wrong with it.
    ///   - remedy: What would be right.
    public init(variable: String, value: String, reason: String, remedy: String) {
        self.variable = variable
        self.value = value
        self.reason = reason
        self.remedy = remedy
    }
}

extension EnvironmentProblem: CustomStringConvertible {
    /// One line that names the variable, its value, what is wrong and what would be right.
    public var description: String {
        "\(variable)=\(value.quotedForMessage) \(reason); expected \(remedy)"
    }
}
