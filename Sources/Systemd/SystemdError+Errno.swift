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
    /// The text as it can stand in a one-line message: control characters escaped, a long one cut.
    var quotedForMessage: String {
        let limit = 80
        let cut = prefix(limit)
        return cut.endIndex == endIndex ? debugDescription : "\(String(cut).debugDescription)…"
    }
}
