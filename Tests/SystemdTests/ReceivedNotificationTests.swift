import SupervisionTesting
import Testing

@Suite("ReceivedNotification")
struct ReceivedNotificationTests {
    // Each as systemd 252 and 262 take it.
    @Test(
        "a message is read as the manager reads it",
        arguments: [
            ("READY=1", ["READY=1"]),
            ("READY=1\n", ["READY=1"]),
            ("\n\nREADY=1\n\nSTATUS=", ["READY=1", "STATUS="]),
            ("STATUS=a\rERRNO=5", ["STATUS=a", "ERRNO=5"]),
            ("STATUS=a\r\nERRNO=5", ["STATUS=a", "ERRNO=5"]),
            (#"STATUS=a\b"#, ["STATUS=ab"]),
            (#"STATUS=a\\b"#, [#"STATUS=a\b"#]),
            ("STATUS=C:\\\nERRNO=5", ["STATUS=C:\nERRNO=5"]),
            ("READY=1\nSTATUS=C:\\", []),
            (#"STATUS="a" 'b"#, [#"STATUS="a" 'b"#]),
            ("", []),
        ]
    )
    func lines(text: String, expected: [String]) {
        #expect(ReceivedNotification(bytes: Array(text.utf8)).lines == expected)
    }

    @Test("a value begins after the first equals sign, whatever clings to it")
    func value() {
        let received = ReceivedNotification(bytes: Array("STATUS=a\nSTATUS=\u{301}b=c".utf8))
        #expect(received["STATUS"] == "\u{301}b=c")
        #expect(received["STATU"] == nil)
    }
}
