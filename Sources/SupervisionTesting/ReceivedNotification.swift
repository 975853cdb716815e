/// One message that a ``FakeServiceManager`` received.
public struct ReceivedNotification: Sendable, Hashable {
    /// The datagram, byte for byte.
    public let bytes: [UInt8]

    /// How many descriptors came with it.
    public let descriptorCount: Int

    /// Makes a message of a datagram.
    ///
    /// - Parameters:
    ///   - bytes: The datagram, byte for byte.
    ///   - descriptorCount: How many descriptors came with it; none by default.
    public init(bytes: [UInt8], descriptorCount: Int = 0) {
        self.bytes = bytes
        self.descriptorCount = descriptorCount
    }

    /// The lines of the message, such as `READY=1`; a newline at its end adds none.
    public var lines: [String] {
        let text = String(decoding: bytes, as: UTF8.self)
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        return lines
    }

    /// The value of a variable.
    ///
    /// - Parameter name: The variable's name, such as `STATUS`.
    /// - Returns: Its value in the last line that sets it, as the manager reads it; `nil` when none does.
    public subscript(name: String) -> String? {
        lines.last { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.count + 1)) }
    }
}

extension ReceivedNotification: CustomStringConvertible {
    /// The lines, separated by a vertical bar.
    public var description: String {
        lines.joined(separator: " | ")
    }
}
