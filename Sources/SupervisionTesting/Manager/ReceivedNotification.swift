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

    /// The lines of the message, such as `READY=1`, as the manager reads them.
    ///
    /// A newline or a carriage return ends a line, and empty lines are left out. A backslash makes an ordinary
    /// character of the byte after it, of a newline too. None when the message ends after a single backslash:
    /// the manager then ignores all of it.
    public var lines: [String] {
        var lines: [[UInt8]] = []
        var line: [UInt8] = []
        var isEscaped = false
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\\") where !isEscaped:
                isEscaped = true
                continue
            case UInt8(ascii: "\n") where !isEscaped, UInt8(ascii: "\r") where !isEscaped:
                lines.append(line)
                line = []
            default:
                line.append(byte)
            }
            isEscaped = false
        }
        guard !isEscaped else { return [] }
        return (lines + [line]).filter { !$0.isEmpty }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The value of a variable.
    ///
    /// - Parameter name: The variable's name, such as `STATUS`.
    /// - Returns: Its value in the last line that sets it, as the manager reads it; `nil` when none does.
    public subscript(name: String) -> String? {
        // By bytes, for a character may be an equals sign and an accent.
        let start = Array("\(name)=".utf8)
        return lines.last { $0.utf8.starts(with: start) }.map {
            String(Substring($0.utf8.dropFirst(start.count)))
        }
    }
}

extension ReceivedNotification: CustomStringConvertible {
    /// The lines, separated by a vertical bar.
    public var description: String {
        lines.joined(separator: " | ")
    }
}
