extension JournalEntry {
    /// The entry as it goes out.
    ///
    /// A field is `NAME=value` and a newline. With a newline in its value it is the name, a newline, the value's
    /// length as 64 bits with the lowest byte first, the value, and a newline.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(encodedSize)
        for field in allFields {
            bytes += field.name.utf8
            if field.isFramed {
                bytes.append(Self.newline)
                withUnsafeBytes(of: UInt64(field.value.count).littleEndian) { bytes += $0 }
            } else {
                bytes.append(UInt8(ascii: "="))
            }
            bytes += field.value
            bytes.append(Self.newline)
        }
        return bytes
    }

    /// Why the journal would refuse the entry; `nil` when it would not.
    var excess: SystemdError? {
        guard fields.count + 2 <= Self.mostFields else {
            return SystemdError(
                .messageTooLarge,
                "the entry has \(fields.count + 2) fields, where the journal takes at most \(Self.mostFields)"
            )
        }
        guard encodedSize <= Self.largestSize else {
            return SystemdError(
                .messageTooLarge,
                "the entry is \(encodedSize) bytes long, where the journal takes at most \(Self.largestSize)"
            )
        }
        return nil
    }

    private var allFields: [JournalField] {
        [JournalField(known: "MESSAGE", message), JournalField(known: "PRIORITY", "\(priority.rawValue)")]
            + fields
    }

    private var encodedSize: Int {
        allFields.reduce(0) { size, field in
            size + field.name.utf8.count + field.value.count + (field.isFramed ? 10 : 2)
        }
    }

    private static let newline = UInt8(ascii: "\n")
}
