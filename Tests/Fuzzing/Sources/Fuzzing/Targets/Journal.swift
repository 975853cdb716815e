@testable import Systemd

extension FuzzTarget {
    /// The message, and then the names and values of fields in turn.
    func attemptJournal(_ input: Input) {
        let parts = input.parts
        var fields: [JournalField] = []
        for index in stride(from: 1, to: parts.count - 1, by: 2) {
            let field = JournalField(parts[index].text, bytes: parts[index + 1].bytes)
            claim(field.value == parts[index + 1].bytes, "a value is kept")
            claim(Self.isName(field.name), "\(parts[index].text.debugDescription) is \(field.name)")
            claim(JournalField(field.name, "").name == field.name, "\(field.name) is fit as it is")
            fields.append(field)
        }
        let message = parts[0].text
        let priority = JournalPriority.allCases[parts.count % JournalPriority.allCases.count]
        let entry = JournalEntry(message, priority: priority, fields: fields)
        let expected =
            [("MESSAGE", Array(message.utf8)), ("PRIORITY", Array("\(priority.rawValue)".utf8))]
            + fields.map { ($0.name, $0.value) }
        let read = Self.read(entry.bytes)
        claim(read.elementsEqual(expected) { $0 == $1 }, "\(expected) went out as \(entry.bytes)")
        claim((entry.excess == nil) == (fields.count <= 1022), "\(fields.count) fields")
    }

    private static func isName(_ name: String) -> Bool {
        let letters: ClosedRange<UInt8> = 0x41...0x5A
        return (1...64).contains(name.utf8.count) && name.utf8.first.map(letters.contains) == true
            && name != "MESSAGE" && name != "PRIORITY"
            && name.utf8.allSatisfy { letters.contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
    }

    /// Reads an entry as the journal does.
    private static func read(_ bytes: [UInt8]) -> [(String, [UInt8])] {
        var fields: [(String, [UInt8])] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 0x0A) {
            var name = rest[..<end]
            var value = rest[end..<end]
            rest = rest[(end + 1)...]
            if let sign = name.firstIndex(of: 0x3D) {
                value = name[(sign + 1)...]
                name = name[..<sign]
            } else {
                claim(rest.count >= 8, "a length has eight bytes")
                let length = rest.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
                value = rest.dropFirst(8).prefix(length)
                rest = rest.dropFirst(8 + length)
                claim(value.count == length && rest.first == 0x0A, "a value has its length, and a newline")
                rest = rest.dropFirst()
            }
            fields.append((String(decoding: name, as: UTF8.self), Array(value)))
        }
        claim(rest.isEmpty, "nothing is left over")
        return fields
    }
}
