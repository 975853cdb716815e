extension JournalPriority {
    /// What a line begins with to have this priority, such as `<4>`.
    public var prefix: String {
        "<\(rawValue)>"
    }

    /// Text as lines for a standard output or error that goes to the journal, each with its priority.
    ///
    /// Use it where ``JournalStream/isOpen(as:)`` says that the journal reads the lines; a person at a terminal
    /// does not want to see the prefixes. The unit must have `SyslogLevelPrefix=yes`, which is the default.
    ///
    /// Whatever the text, no part of it is read as a priority: each piece that the journal would take for a
    /// line of its own, after a newline, a carriage return or a NUL, or after 48 KiB, has the prefix. The
    /// journal reads one prefix for each line, so a `<` that follows is text.
    ///
    /// - Parameter text: Any text. Its empty lines are left out, as the journal keeps none.
    /// - Returns: Lines with a newline between two; empty when no line has anything in it.
    /// - Note: Source: systemd `sd-daemon`, "Log levels"; `journald.conf`, `LineMax=`.
    public func prefixed(_ text: String) -> String {
        var result = ""
        let lines = text.unicodeScalars.split { $0 == "\n" || $0 == "\r" || $0 == "\0" }
        for line in lines {
            for piece in Self.pieces(of: line) {
                if !result.isEmpty { result += "\n" }
                result += prefix
                result.unicodeScalars += piece
            }
        }
        return result
    }

    // Below the journal's LineMax= of 48 KiB, with room for the prefix.
    private static let longestPiece = 48 * 1024 - 16

    private static func pieces(of line: Substring.UnicodeScalarView) -> [Substring.UnicodeScalarView] {
        guard Substring(line).utf8.count > longestPiece else { return [line] }
        var pieces: [Substring.UnicodeScalarView] = []
        var start = line.startIndex
        var length = 0
        for index in line.indices {
            let width = UTF8.width(line[index])
            if length + width > longestPiece {
                pieces.append(line[start..<index])
                start = index
                length = 0
            }
            length += width
        }
        pieces.append(line[start...])
        return pieces
    }
}
