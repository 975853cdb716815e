/// A frame of HTTP/2, byte for byte: RFC 9113, section 4.1.
public struct Frame: Sendable, Hashable {
    /// The types that tests ask for.
    public enum Kind: UInt8, Sendable {
        /// DATA.
        case data
        /// HEADERS.
        case headers
        /// PRIORITY.
        case priority
        /// RST_STREAM.
        case reset
        /// SETTINGS.
        case settings
        /// PUSH_PROMISE.
        case push
        /// PING.
        case ping
        /// GOAWAY.
        case goAway
        /// WINDOW_UPDATE.
        case window
        /// CONTINUATION.
        case continuation
    }

    /// END_STREAM, and in PING and SETTINGS the ACK.
    public static let end: UInt8 = 1

    /// What it is.
    public let kind: Kind
    /// Its flags.
    public let flags: UInt8
    /// The stream it is of; 0 is the connection.
    public let stream: UInt32
    /// What it carries.
    public let payload: [UInt8]

    /// Makes a frame.
    public init(_ kind: Kind, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) {
        self.kind = kind
        self.flags = flags
        self.stream = stream
        self.payload = payload
    }

    /// A request's head, its fields written out rather than compressed.
    ///
    /// - Parameters:
    ///   - stream: Odd, and larger than those before.
    ///   - path: What is asked for; 126 bytes at most.
    ///   - method: 2 for GET, 3 for POST: the numbers of HPACK's static table.
    ///   - isWhole: Whether the request has no body.
    /// - Returns: The frame.
    public static func request(
        _ stream: UInt32,
        _ path: String = "/",
        method: UInt8 = 2,
        isWhole: Bool = true
    ) -> Frame {
        let host = Array("test".utf8)
        let block =
            [0x80 | method, 0x87, 0x04, UInt8(path.utf8.count)] + Array(path.utf8)
            + [0x01, UInt8(host.count)] + host
        return Frame(.headers, flags: 4 | (isWhole ? end : 0), stream: stream, block)
    }

    /// The number in the payload at a place, such as the last stream of GOAWAY at 0, or its reason at 4.
    public func number(at offset: Int = 0) -> UInt32 {
        payload[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    var bytes: [UInt8] {
        [UInt8(payload.count >> 16), UInt8(payload.count >> 8 & 0xFF), UInt8(payload.count & 0xFF)]
            + [kind.rawValue, flags] + (0..<4).map { UInt8(stream >> (24 - 8 * UInt32($0)) & 0xFF) } + payload
    }
}
