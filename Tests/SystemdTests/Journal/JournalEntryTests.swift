import Testing

@testable import Systemd

@Suite("JournalEntry")
struct JournalEntryTests {
    @Test("message and priority come first, one line each")
    func plain() {
        #expect(text(JournalEntry("hello")) == "MESSAGE=hello\nPRIORITY=6\n")
        #expect(text(JournalEntry("grüße", priority: .error)) == "MESSAGE=grüße\nPRIORITY=3\n")
        #expect(text(JournalEntry("")) == "MESSAGE=\nPRIORITY=6\n")
    }

    @Test("a value with a newline has its length before it, byte for byte")
    func framed() {
        let entry = JournalEntry("one\ntwo", priority: .debug, fields: [JournalField("A", "=\n")])
        var expected = Array("MESSAGE\n".utf8) + [7, 0, 0, 0, 0, 0, 0, 0] + Array("one\ntwo\n".utf8)
        expected += Array("PRIORITY=7\n".utf8)
        expected += Array("A\n".utf8) + [2, 0, 0, 0, 0, 0, 0, 0] + Array("=\n\n".utf8)
        #expect(entry.bytes == expected)
    }

    @Test("a length of more than one byte has the lowest first")
    func length() {
        let value = [UInt8](repeating: UInt8(ascii: "\n"), count: 0x010203)
        let entry = JournalEntry("", fields: [JournalField("A", bytes: value)])
        let expected = Array("A\n".utf8) + [3, 2, 1, 0, 0, 0, 0, 0] + value + [UInt8(ascii: "\n")]
        #expect(Array(entry.bytes.suffix(expected.count)) == expected)
    }

    @Test("bytes without a newline stay as they are, in one line")
    func binary() {
        let value: [UInt8] = [0, 0xFF, 0x80, UInt8(ascii: "="), 0x0D]
        let entry = JournalEntry("m", fields: [JournalField("B", bytes: value)])
        #expect(entry.bytes == Array("MESSAGE=m\nPRIORITY=6\nB=".utf8) + value + Array("\n".utf8))
    }

    @Test("a name may have several values, in their order")
    func repeated() {
        let entry = JournalEntry(
            "m",
            fields: [JournalField("A", "1"), JournalField("B", "2"), JournalField("a", "3")]
        )
        #expect(text(entry) == "MESSAGE=m\nPRIORITY=6\nA=1\nB=2\nA=3\n")
    }

    @Test("an entry of the most fields is fit, one field more is not")
    func fields() throws {
        let field = JournalField("A", "")
        let most = JournalEntry("", fields: Array(repeating: field, count: JournalEntry.mostFields - 2))
        #expect(most.excess == nil)
        let more = JournalEntry("", fields: most.fields + [field])
        let error = try #require(more.excess)
        #expect(error.code == .messageTooLarge)
        #expect(error.message == "the entry has 1025 fields, where the journal takes at most 1024")
    }

    @Test("an entry of the most bytes is fit, one byte more is not", arguments: [UInt8(ascii: "a"), 10])
    func size(byte: UInt8) throws {
        let empty = JournalEntry("", fields: [JournalField("A", bytes: [10])]).bytes.count - 1
        let overhead = byte == 10 ? empty : empty - 8
        let room = JournalEntry.largestSize - overhead
        let most = JournalEntry("", fields: [JournalField("A", bytes: Array(repeating: byte, count: room))])
        #expect(most.excess == nil)
        #expect(most.bytes.count == JournalEntry.largestSize)
        let more = JournalEntry(
            "",
            fields: [JournalField("A", bytes: Array(repeating: byte, count: room + 1))]
        )
        let error = try #require(more.excess)
        #expect(error.code == .messageTooLarge)
        #expect(error.message.contains("33554433 bytes"))
    }

    @Test("whatever the names and values, what goes out reads back as what was given")
    func anything() throws {
        var random = RandomText(seed: 1)
        for _ in 0..<300 {
            let entry = JournalEntry(
                random.text(),
                fields: (0..<3).map { _ in JournalField(random.text(), random.text()) }
            )
            let expected =
                [JournalField(known: "MESSAGE", entry.message), JournalField(known: "PRIORITY", "6")]
                + entry.fields
            #expect(try read(entry.bytes) == expected)
        }
    }

    private func text(_ entry: JournalEntry) -> String {
        String(decoding: entry.bytes, as: UTF8.self)
    }

    /// Reads fields back, as the journal does.
    private func read(_ bytes: [UInt8]) throws -> [JournalField] {
        var rest = bytes[...]
        var fields: [JournalField] = []
        while !rest.isEmpty {
            let end = try #require(rest.firstIndex(of: 10))
            if let sign = rest[..<end].firstIndex(of: UInt8(ascii: "=")) {
                let name = String(decoding: rest[..<sign], as: UTF8.self)
                fields.append(field(name, rest[(sign + 1)..<end]))
                rest = rest[(end + 1)...]
            } else {
                let name = String(decoding: rest[..<end], as: UTF8.self)
                let length = rest[(end + 1)...].prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
                let value = rest[(end + 9)...].prefix(length)
                try #require(value.count == length && rest[value.endIndex...].first == 10)
                fields.append(field(name, value))
                rest = rest[(value.endIndex + 1)...]
            }
        }
        return fields
    }

    private func field(_ name: String, _ value: ArraySlice<UInt8>) -> JournalField {
        // A name that went out is not to be made fit again.
        JournalField(known: name, String(decoding: value, as: UTF8.self))
    }
}
