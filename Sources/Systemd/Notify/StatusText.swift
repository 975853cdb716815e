/// The text of a `STATUS=` line, made fit to be sent.
///
/// A newline would let a text add variables of its own, so every run of control characters and line
/// separators becomes one space. What is longer than ``limit`` is cut between two characters and ends in an
/// ellipsis.
enum StatusText {
    /// Bytes of UTF-8: half of what the manager reads, so that other variables find room in the same message.
    static let limit = 2048

    static func clean(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        var length = 0
        var pendingSpace = false
        for scalar in text.unicodeScalars {
            if isBreaking(scalar) {
                pendingSpace = length > 0
                continue
            }
            if pendingSpace {
                scalars.append(" ")
                length += 1
                pendingSpace = false
            }
            scalars.append(scalar)
            length += UTF8.width(scalar)
            // Enough is known to cut: a hostile text is not read to its end.
            if length > limit { return cut(String(scalars)) }
        }
        return String(scalars)
    }

    private static func isBreaking(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    private static func cut(_ text: String) -> String {
        let ellipsis = "…"
        let room = limit - ellipsis.utf8.count
        var end = text.startIndex
        var length = 0
        for character in text {
            length += character.utf8.count
            if length > room { break }
            end = text.index(after: end)
        }
        // One character can be longer than the limit: a letter under a thousand accents.
        if end == text.startIndex {
            end = scalarBoundary(atOrBefore: text.utf8.index(text.startIndex, offsetBy: room), in: text)
        }
        return text[..<end] + ellipsis
    }

    private static func scalarBoundary(atOrBefore index: String.Index, in text: String) -> String.Index {
        var index = index
        while String.Index(index, within: text.unicodeScalars) == nil {
            index = text.utf8.index(before: index)
        }
        return index
    }
}
