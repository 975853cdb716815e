/// What the manager reads in a message: a reading of its own, to hold the kit's against.
///
/// - Note: Source: systemd 252 and 262, tried.
enum ManagerReading {
    /// The lines; `nil` where the manager ignores the message.
    static func lines(_ bytes: [UInt8]) -> [[UInt8]]? {
        var lines: [[UInt8]] = [[]]
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == 0x5C {
                guard index + 1 < bytes.count else { return nil }
                lines[lines.count - 1].append(bytes[index + 1])
                index += 2
                continue
            }
            if byte == 0x0A || byte == 0x0D {
                lines.append([])
            } else {
                lines[lines.count - 1].append(byte)
            }
            index += 1
        }
        return lines.filter { !$0.isEmpty }
    }

    /// Claims that a message is these lines for the manager, and for the kit's own.
    static func claimLines(_ expected: [String], in bytes: [UInt8]) {
        claim(lines(bytes) == expected.map { Array($0.utf8) }, "\(bytes) is \(expected)")
    }
}
