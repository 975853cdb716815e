/// Where a request belongs: `https://`, its host, and what it asks for, byte for byte.
struct Location: Equatable {
    let text: String

    /// Makes it of what a client has sent.
    ///
    /// - Parameters:
    ///   - host: The Host field.
    ///   - target: The path and the query.
    /// - Returns: Nil where there is no host, or one that is none, or no path: what a client sends gets to no other
    ///   place of the address than a host's and a path's.
    static func of(host: String?, target: String?) -> Location? {
        guard let host, isHost(host), let target, isTarget(target) else { return nil }
        return Location(text: "https://\(host)\(target)")
    }

    private static func isTarget(_ text: String) -> Bool {
        text.hasPrefix("/") && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// A name or an address, and a port: RFC 3986, section 3.2, without a user, and without what names never have.
    private static func isHost(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
                case UInt8(ascii: "0")...UInt8(ascii: "9"): true
                default: ".-_:[]".utf8.contains(byte)
                }
            }
    }
}
