import Testing

@testable import Systemd

@Suite("JournalField")
struct JournalFieldTests {
    @Test(
        "a name becomes one that the journal takes",
        arguments: [
            ("REQUEST_ID", "REQUEST_ID"), ("requestID", "REQUESTID"), ("request-id", "REQUEST_ID"),
            ("http.status", "HTTP_STATUS"), ("a b", "A_B"), ("größe", "GR__E"), ("ﬁ", "FIELD"),
            ("_PID", "PID"), ("___x", "X"), ("-x", "X"), ("x_", "X_"),
            ("", "FIELD"), ("_", "FIELD"), ("😀", "FIELD"), ("\n=\0", "FIELD"),
            ("2xx", "FIELD_2XX"), ("_0", "FIELD_0"), ("٣", "FIELD"),
            ("message", "FIELD_MESSAGE"), ("_PRIORITY", "FIELD_PRIORITY"), ("MESSAGE_ID", "MESSAGE_ID"),
            ("UNIT=x\nPRIORITY", "UNIT_X_PRIORITY"),
        ]
    )
    func names(name: String, expected: String) {
        #expect(JournalField(name, "").name == expected)
    }

    @Test("a name has 64 characters at most, a prefix included")
    func longNames() {
        #expect(JournalField(String(repeating: "a", count: 64), "").name == String(repeating: "A", count: 64))
        #expect(JournalField(String(repeating: "a", count: 65), "").name == String(repeating: "A", count: 64))
        #expect(
            JournalField(String(repeating: "1", count: 64), "").name
                == "FIELD_" + String(repeating: "1", count: 58)
        )
        #expect(JournalField(String(repeating: "_", count: 100_000) + "x", "").name == "X")
    }

    @Test("no text makes a name that the journal drops")
    func anyName() {
        var random = RandomText(seed: 2)
        for _ in 0..<500 {
            let text = random.text()
            let name = JournalField(text, "").name.unicodeScalars
            #expect((1...64).contains(name.count), "\(text.debugDescription)")
            #expect(name.first.map { ("A"..."Z").contains($0) } == true, "\(text.debugDescription)")
            #expect(
                name.allSatisfy { ("A"..."Z").contains($0) || ("0"..."9").contains($0) || $0 == "_" },
                "\(text.debugDescription)"
            )
        }
    }

    @Test("the well-known fields have the journal's names")
    func wellKnown() {
        let line = #line + 1
        let here: [JournalField] = [.codeFile(), .codeLine(), .codeFunction()]
        #expect(
            here.map(\.description) == [
                "CODE_FILE=SystemdTests/JournalFieldTests.swift", "CODE_LINE=\(line)",
                "CODE_FUNC=wellKnown()",
            ]
        )
        #expect(JournalField.errno(2).description == "ERRNO=2")
        #expect(JournalField.syslogIdentifier("web").description == "SYSLOG_IDENTIFIER=web")
        #expect(JournalField.documentation("man:a(1)").description == "DOCUMENTATION=man:a(1)")
    }

    @Test(
        "a message id is 32 hexadecimal digits, in small letters",
        arguments: [
            (0x8d45_620c_1a43_48db_b174_10da_57c6_0c66, "8d45620c1a4348dbb17410da57c60c66"),
            (0x0000_0000_0000_0000_0000_0000_0000_00AB, "000000000000000000000000000000ab"),
            (.max, "ffffffffffffffffffffffffffffffff"),
        ] as [(UInt128, String)]
    )
    func messageID(id: UInt128, digits: String) {
        #expect(JournalField.messageID(id).description == "MESSAGE_ID=\(digits)")
    }
}
