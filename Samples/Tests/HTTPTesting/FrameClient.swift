import NIOCore
import NIOHPACK

/// A client of HTTP/2 that does nothing by itself: it acknowledges nothing, and opens no window.
public final class FrameClient {
    private let client: Client
    private var decoder = HPACKDecoder(allocator: ByteBufferAllocator())

    /// Over a connection that has agreed upon `h2`; sends what a client has to say first.
    public init(_ client: Client) async throws {
        self.client = client
        try await client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        try await send(Frame(.settings))
    }

    /// Connects to a port of this machine.
    public static func connect(to port: Int, _ body: (FrameClient) async throws -> Void) async throws {
        try await Client.connect(to: port, offering: ["h2"]) { client in
            try await body(FrameClient(client))
        }
    }

    /// Returns when the kernel has the frames; on loopback the server's side has them then.
    public func send(_ frames: Frame...) async throws {
        try await send(frames)
    }

    /// Returns when the kernel has the frames; on loopback the server's side has them then.
    public func send(_ frames: [Frame]) async throws {
        try await client.send(frames.flatMap(\.bytes))
    }

    /// The next frame, whatever it is; nil at the end of the connection.
    public func next() async throws -> Frame? {
        guard let head = try await client.read(9) else { return nil }
        let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
        guard let payload = try await client.read(length) else { return nil }
        guard let kind = Frame.Kind(rawValue: head[3]) else { return try await next() }
        let stream = head[5...8].reduce(0) { $0 << 8 | UInt32($1) }
        return Frame(kind, flags: head[4], stream: stream, payload)
    }

    /// The next frame of one of some kinds, past all others; nil at the end of the connection.
    public func next(_ kinds: Frame.Kind...) async throws -> Frame? {
        while let frame = try await next() {
            if kinds.contains(frame.kind) { return frame }
        }
        return nil
    }

    /// The fields of a response, `:status` too; each head is to be read once, in the order of their coming.
    public func fields(of head: Frame) throws -> [String: String] {
        var block = ByteBuffer(bytes: head.payload)
        let fields = try decoder.decodeHeaders(from: &block)
        return Dictionary(fields.map { ($0.name, $0.value) }) { first, second in "\(first), \(second)" }
    }

    /// A whole response, where no other comes in between; nil at the end of the connection.
    public func response() async throws -> (fields: [String: String], body: String)? {
        guard let head = try await next(.headers) else { return nil }
        let fields = try fields(of: head)
        var body: [UInt8] = []
        var isWhole = head.flags & Frame.end != 0
        while !isWhole {
            guard let frame = try await next(.data) else { return nil }
            body += frame.payload
            isWhole = frame.flags & Frame.end != 0
        }
        return (fields, String(decoding: body, as: UTF8.self))
    }

    /// Waits for what the server announces its end with, and answers that it was heard.
    ///
    /// - Returns: Both GOAWAY frames.
    public func hearEnd() async throws -> [Frame] {
        var heard: [Frame] = []
        if let first = try await next(.goAway) { heard.append(first) }
        if let ping = try await next(.ping) {
            try await send(Frame(.ping, flags: Frame.end, ping.payload))
        }
        if let second = try await next(.goAway) { heard.append(second) }
        return heard
    }

    /// Waits for the end of the connection, whatever comes before and however it ends.
    public func waitForEnd() async {
        await client.waitForEnd()
    }
}
