/// The text of a `STATUS=` line, made fit to be sent.
///
/// A newline would let a text add variables of its own, so every run of control characters and line
/// separators becomes one space. What is longer than ``limit`` is cut between two characters and ends in an
/// ellipsis.
enum StatusText {
    /// Bytes on the wire: half of what the manager reads, so that other variables find room in the same message.
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
            length += width(scalar)
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

    private static let ellipsis = "…"

    private static func cut(_ text: String) -> String {
        var end = end(of: text) { $0.unicodeScalars.reduce(0) { $0 + width($1) } }
        // One character can be longer than the limit: a letter under a thousand accents.
        if end == text.startIndex { end = self.end(of: text.unicodeScalars, width: width) }
        return text[..<end] + ellipsis
    }

    /// Where there is no room for one piece more, and the ellipsis.
    private static func end<Pieces: Collection>(
        of pieces: Pieces,
        width: (Pieces.Element) -> Int
    ) -> Pieces.Index {
        var room = limit - ellipsis.utf8.count
        for index in pieces.indices {
            room -= width(pieces[index])
            if room < 0 { return index }
        }
        return pieces.endIndex
    }

    /// Bytes on the wire, where a backslash is there twice.
    private static func width(_ scalar: Unicode.Scalar) -> Int {
        scalar == "\\" ? 2 : UTF8.width(scalar)
    }
}
