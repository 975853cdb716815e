import Systemd
import Testing

@Suite("JournalPriority")
struct JournalPriorityTests {
    @Test("the levels are syslog's")
    func levels() {
        #expect(JournalPriority.allCases.map(\.rawValue) == Array(0...7))
        #expect(JournalPriority.error.prefix == "<3>")
    }

    @Test(
        "each line has the prefix",
        arguments: [
            ("one", "<4>one"),
            ("one\ntwo\nthree", "<4>one\n<4>two\n<4>three"),
            ("one\r\ntwo\rthree\n", "<4>one\n<4>two\n<4>three"),
            ("one\n\n\ntwo", "<4>one\n<4>two"),
            ("  indented\n\tmore", "<4>  indented\n<4>\tmore"),
            ("", ""), ("\n", ""),
        ]
    )
    func lines(text: String, expected: String) {
        #expect(JournalPriority.warning.prefixed(text) == expected)
    }

    @Test(
        "nothing in a text is read as a priority",
        arguments: [
            ("<0>panic", "<6><0>panic"),
            ("one\n<0>panic", "<6>one\n<6><0>panic"),
            // The journal ends a line at a NUL too.
            ("one\0<0>panic", "<6>one\n<6><0>panic"),
            // A newline is one of its own, whatever clings to it.
            ("one\n\u{301}<0>panic", "<6>one\n<6>\u{301}<0>panic"),
        ]
    )
    func injection(text: String, expected: String) {
        #expect(Array(JournalPriority.info.prefixed(text).utf8) == Array(expected.utf8))
    }

    @Test("a line longer than the journal's longest is cut between characters, each piece with the prefix")
    func longLine() {
        let text = String(repeating: "é", count: 60_000) + "<0>panic"
        let lines = JournalPriority.info.prefixed(text).split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines.allSatisfy { $0.hasPrefix("<6>") && $0.utf8.count < 48 * 1024 })
        #expect(lines.map { $0.dropFirst(3) }.joined() == text)
    }

    @Test("the longest line that is not cut is followed by one that is")
    func boundary() {
        let longest = 48 * 1024 - 16
        #expect(
            JournalPriority.info.prefixed(String(repeating: "a", count: longest)).utf8.count == longest + 3
        )
        let cut = JournalPriority.info.prefixed(String(repeating: "a", count: longest) + "<0>panic")
        #expect(cut == "<6>" + String(repeating: "a", count: longest) + "\n<6><0>panic")
    }

    @Test("whatever the text, every line of the result has the prefix")
    func anything() {
        var random = RandomText(seed: 3)
        for _ in 0..<500 {
            let text = random.text()
            let bytes = Array(JournalPriority.notice.prefixed(text).utf8)
            let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            #expect(!bytes.contains(0))
            #expect(bytes.isEmpty || lines.allSatisfy { $0.starts(with: Array("<5>".utf8)) })
        }
    }
}
