/// An expectation of a ``Story`` that does not hold, and what happened instead.
///
/// A test that throws it fails, in Swift Testing and in XCTest, and prints its ``description``.
public struct StoryFailure: Error, CustomStringConvertible {
    /// What was expected, and what is wrong about it.
    public let message: String

    /// What had happened by then, in words.
    public let story: [String]

    /// Where it was expected: the file, as `#fileID` names it.
    public let fileID: String

    /// Where it was expected: the line.
    public let line: UInt

    /// The entries that the failure is about, counted from zero.
    let marked: [Int]

    init(
        _ message: String,
        in story: Story,
        marking marked: [Int] = [],
        at fileID: StaticString,
        _ line: UInt
    ) {
        self.message = message
        self.story = story.lines
        self.marked = marked
        self.fileID = "\(fileID)"
        self.line = line
    }

    /// Of a longer story its beginning and its end are shown.
    private static let mostLines = 200

    /// The place, the message and the story, its entries numbered, with those marked that it is about.
    public var description: String {
        let numbered = story.enumerated().map { index, line in
            "\(marked.contains(index) ? "→" : " ") \(index + 1). \(line)"
        }
        let shown =
            numbered.count <= Self.mostLines
            ? numbered
            : numbered.prefix(Self.mostLines / 2) + ["  …"] + numbered.suffix(Self.mostLines / 2)
        let happened =
            shown.isEmpty ? " Nothing happened." : " What happened:\n\(shown.joined(separator: "\n"))"
        return "\(fileID):\(line): \(message).\(happened)"
    }
}
