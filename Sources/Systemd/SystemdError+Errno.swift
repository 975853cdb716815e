#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension SystemdError {
    /// A failure that the operating system explains.
    static func system(_ code: Code, _ action: String, errno number: CInt) -> SystemdError {
        SystemdError(code, "\(action): \(text(of: number)) (errno \(number))", errno: number)
    }

    // strerror's buffer is shared between threads.
    private static func text(of number: CInt) -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        guard strerror_r(number, &buffer, buffer.count) == 0 else { return "unknown error" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

extension String {
    /// The text as it can stand in a one-line message: what breaks a line or steers a terminal is escaped, and
    /// a long text is cut.
    package var quotedForMessage: String {
        // By scalars, for a character may be a letter under a thousand accents.
        let cut = unicodeScalars.prefix(80)
        let quoted = String(cut).debugDescription.unicodeScalars.map(Self.escaped).joined()
        return cut.endIndex == endIndex ? quoted : "\(quoted)…"
    }

    // debugDescription leaves those beyond ASCII as they are.
    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator:
            "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
        default: String(scalar)
        }
    }
}
