/// What libFuzzer made up: parts with a byte between two that is in no text.
struct Input {
    let bytes: [UInt8]

    init(_ bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
    }

    var text: String {
        String(decoding: bytes, as: UTF8.self)
    }

    var parts: [Input] {
        bytes.split(separator: 0xFF, omittingEmptySubsequences: false).map { Input($0) }
    }

    /// A part, or nothing where there are not as many.
    subscript(index: Int) -> Input {
        let parts = parts
        return index < parts.count ? parts[index] : Input([])
    }
}

extension String {
    /// Whether nothing in it breaks a line or steers a terminal.
    var isOneLine: Bool {
        unicodeScalars.allSatisfy {
            switch $0.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: false
            default: true
            }
        }
    }

    /// Whether a person can read it as a message: one line, and not long, whatever it quotes.
    var isMessage: Bool {
        isOneLine && utf8.count < 2500
    }

    /// Decimal digits alone, as a number.
    var plainNumber: UInt64? {
        var number: UInt64 = 0
        for byte in utf8 {
            guard (0x30...0x39).contains(byte) else { return nil }
            let (product, isTooLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, isTooMuch) = product.addingReportingOverflow(UInt64(byte - 0x30))
            if isTooLarge || isTooMuch { return nil }
            number = sum
        }
        return isEmpty ? nil : number
    }

    var isAbsolutePath: Bool {
        utf8.first == 0x2F && !utf8.contains(0)
    }

    /// Characters are no measure: two texts that look the same may differ in bytes.
    func isSame(as other: String) -> Bool {
        utf8.elementsEqual(other.utf8)
    }
}
