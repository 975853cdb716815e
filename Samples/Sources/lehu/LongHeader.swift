/// The begin of a QUIC packet with a long header, as far as it is the same in all versions (RFC 8999, section 5.1).
struct LongHeader: Equatable {
    let version: UInt32

    /// The connection id that the receiver is known by: 0 to 255 bytes.
    let destination: [UInt8]

    /// The connection id that the sender is known by: 0 to 255 bytes.
    let source: [UInt8]

    /// Reads it from anything at all; nil where it is a short header, or ends too early.
    init?(_ packet: [UInt8]) {
        var rest = packet[...]
        guard let first = rest.popFirst(), first & 0x80 != 0, rest.count >= 4 else { return nil }
        version = rest.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
        rest = rest.dropFirst(4)
        guard let destination = Self.connectionID(&rest), let source = Self.connectionID(&rest) else {
            return nil
        }
        self.destination = destination
        self.source = source
    }

    private static func connectionID(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
        guard let length = rest.popFirst(), rest.count >= Int(length) else { return nil }
        defer { rest = rest.dropFirst(Int(length)) }
        return Array(rest.prefix(Int(length)))
    }
}
