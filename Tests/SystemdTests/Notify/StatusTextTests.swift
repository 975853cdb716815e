import Testing

@testable import Systemd

@Suite("StatusText")
struct StatusTextTests {
    @Test(
        "control characters cannot add a line",
        arguments: [
            ("a\nREADY=1", "a READY=1"),
            ("a\r\n\t b", "a  b"),
            ("\n\na\n\n", "a"),
            ("a\0b\u{7F}c\u{85}d", "a b c d"),
            ("a\u{2028}b\u{2029}c", "a b c"),
            ("\u{1B}[31mred", "[31mred"),
            ("\n", ""),
            ("grüße 👨‍👩‍👧", "grüße 👨‍👩‍👧"),
        ]
    )
    func controls(text: String, expected: String) {
        #expect(StatusText.clean(text) == expected)
    }

    @Test("a text at the limit stays whole; one byte more is cut")
    func limit() {
        let whole = String(repeating: "a", count: StatusText.limit)
        #expect(StatusText.clean(whole) == whole)
        #expect(StatusText.clean(whole + "a") == String(whole.dropLast(3)) + "…")
    }

    @Test("the cut is between two characters", arguments: ["ä", "€", "😀", "👨‍👩‍👧", "🇩🇪", "e\u{301}"])
    func boundary(character: String) {
        for lead in ["", "a", "ab", "abc"] {
            let text = lead + String(repeating: character, count: StatusText.limit)
            let cleaned = StatusText.clean(text)
            #expect(cleaned.utf8.count <= StatusText.limit)
            #expect(cleaned.utf8.count > StatusText.limit - 3 - character.utf8.count)
            #expect(cleaned.last == "…")
            #expect(text.hasPrefix(String(cleaned.dropLast())))
        }
    }

    @Test("one character longer than the limit is cut between two scalars")
    func monster() {
        let text = "a" + String(repeating: "\u{301}", count: 3000)
        let cleaned = StatusText.clean(text)
        #expect(cleaned.utf8.count <= StatusText.limit)
        #expect(cleaned.utf8.count >= StatusText.limit - 3)
        #expect(!cleaned.unicodeScalars.contains("\u{FFFD}"))
    }

    @Test("a backslash counts twice, for it is sent twice", arguments: [0, 1])
    func backslashes(excess: Int) {
        let text = String(repeating: "\\", count: StatusText.limit / 2 + excess)
        let cleaned = StatusText.clean(text)
        #expect(cleaned == (excess == 0 ? text : String(text.dropLast(3)) + "…"))
        #expect(NotifyMessage.status(text).bytes.count <= "STATUS=".utf8.count + StatusText.limit)
    }

    @Test("every status fits into a message beside other variables")
    func fits() {
        let message: NotifyMessage = .stopping + .status(String(repeating: "€", count: 10_000))
        #expect(message.bytes.count < NotifyMessage.largestSize)
    }
}
