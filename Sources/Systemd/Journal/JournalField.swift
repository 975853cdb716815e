#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// One field of a journal entry: a name and a value of text or of any bytes.
///
/// ```swift
/// let field = JournalField("request-id", "a7")  // REQUEST_ID=a7
/// ```
///
/// The journal drops a field whose name it does not like, so names are made fit here: capital letters, digits
/// and `_`, a letter first, 64 characters at most. A name that would begin with a digit, be empty, or stand
/// beside the entry's own `MESSAGE` or `PRIORITY` gets `FIELD_` before it. A leading `_` is dropped: it marks
/// what the journal itself has found out.
///
/// - Note: Source: systemd "Native Journal Protocol"; `systemd.journal-fields`.
public struct JournalField: Sendable, Hashable {
    /// The name, as the journal gets it.
    public let name: String

    /// The value's bytes.
    public let value: [UInt8]

    /// Whether the value has a newline in it.
    let isFramed: Bool

    /// Makes a field of text.
    ///
    /// - Parameters:
    ///   - name: Any text; see above for what becomes of it.
    ///   - value: Any text, of several lines too.
    public init(_ name: String, _ value: String) {
        self.init(name, bytes: Array(value.utf8))
    }

    /// Makes a field of bytes.
    ///
    /// - Parameters:
    ///   - name: Any text; see above for what becomes of it.
    ///   - value: Any bytes. The journal's readers show what is not text as numbers.
    public init(_ name: String, bytes value: [UInt8]) {
        self.init(fit: Self.clean(name), value)
    }

    /// A field whose name is known to be right.
    init(known name: String, _ value: String) {
        self.init(fit: name, Array(value.utf8))
    }

    private init(fit name: String, _ value: [UInt8]) {
        self.name = name
        self.value = value
        isFramed = value.withUnsafeBytes { bytes in
            bytes.baseAddress.map { memchr($0, CInt(UInt8(ascii: "\n")), bytes.count) != nil } ?? false
        }
    }

    private static func clean(_ name: String) -> String {
        let rest = name.unicodeScalars.lazy.map(fit).drop { $0 == "_" }.prefix(longestName)
        var clean = String(String.UnicodeScalarView(rest))
        if clean.isEmpty { return "FIELD" }
        if clean.utf8.first.map(isDigit) == true || clean == "MESSAGE" || clean == "PRIORITY" {
            clean = "FIELD_" + clean
        }
        return String(clean.prefix(longestName))
    }

    private static let longestName = 64

    private static func fit(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar {
        case "A"..."Z", "0"..."9": scalar
        case "a"..."z": Unicode.Scalar(UInt8(scalar.value) - 32)
        default: "_"
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}

extension JournalField: CustomStringConvertible {
    /// The name and the value, with what is not text repaired.
    public var description: String {
        "\(name)=\(String(decoding: value, as: UTF8.self))"
    }
}
