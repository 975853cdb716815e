/// One message to the service manager: some variables, encoded without any I/O.
///
/// ```swift
/// notifier.send(.ready + .status("serving on port 80"))
/// ```
///
/// Several variables in one message arrive together or not at all. In one message the manager prefers
/// `STOPPING` to `READY` to `RELOADING`, whatever their order; systemd 252 takes `RELOADING` before `READY`.
///
/// Some messages carry descriptors; two of these are equal only when one is a copy of the other.
///
/// - Note: Source: systemd `sd_notify`, "Well-known assignments".
public struct NotifyMessage: Sendable, Hashable {
    struct Assignment: Sendable, Hashable {
        let name: String
        let value: String
    }

    /// In the order in which they are written; never empty.
    let assignments: [Assignment]

    /// What travels beside the variables; mostly nothing.
    let descriptors: [OwnedDescriptor]

    init(_ name: String, _ value: String) {
        assignments = [Assignment(name: name, value: value)]
        descriptors = []
    }

    private init(_ assignments: [Assignment], _ descriptors: [OwnedDescriptor]) {
        self.assignments = assignments
        self.descriptors = descriptors
    }

    /// The same variables with descriptors beside them.
    func carrying(_ descriptors: [OwnedDescriptor]) -> NotifyMessage {
        NotifyMessage(assignments, self.descriptors + descriptors)
    }

    /// The most bytes that the manager reads of one message (`PIPE_BUF`).
    public static let largestSize = 4096

    /// The message as it goes out: `NAME=value` lines with a newline between two.
    ///
    /// A backslash in a value is there twice: the manager takes one for an escape, and would lose the line
    /// after a value that ends in one. More than ``largestSize`` bytes are refused when they are sent.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for assignment in assignments {
            if !bytes.isEmpty { bytes.append(UInt8(ascii: "\n")) }
            bytes += assignment.name.utf8
            bytes.append(UInt8(ascii: "="))
            bytes += Self.escaped(assignment.value).utf8
        }
        return bytes
    }

    private static func escaped(_ value: String) -> String {
        let backslash: Unicode.Scalar = "\\"
        guard value.unicodeScalars.contains(backslash) else { return value }
        return value.unicodeScalars.map { $0 == backslash ? "\\\\" : String($0) }.joined()
    }

    /// Joins two messages into one.
    ///
    /// One message carries descriptors for one purpose and under one name: sending two that are joined fails
    /// with code `invalidVariable`.
    ///
    /// - Parameters:
    ///   - first: The variables that come first.
    ///   - second: The variables that follow.
    /// - Returns: One message with the variables of both.
    public static func + (first: NotifyMessage, second: NotifyMessage) -> NotifyMessage {
        NotifyMessage(first.assignments + second.assignments, first.descriptors + second.descriptors)
    }
}

extension NotifyMessage: CustomStringConvertible {
    /// The lines of the message, as the manager reads them.
    public var description: String {
        assignments.map { "\($0.name)=\($0.value)" }.joined(separator: "\n")
    }
}
