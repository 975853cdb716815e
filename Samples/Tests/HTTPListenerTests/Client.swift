import NIOCore
import NIOPosix

/// A client that sends bytes as they are given, and tells bytes as they come.
final class Client {
    private let channel: any Channel
    private var iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private var received = ByteBuffer()

    private init(channel: any Channel, iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator) {
        self.channel = channel
        self.iterator = iterator
    }

    static func connect(to port: Int, _ body: (Client) async throws -> Void) async throws {
        let connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        try await connection.executeThenClose { inbound, _ in
            try await body(Client(channel: connection.channel, iterator: inbound.makeAsyncIterator()))
        }
    }

    /// Returns when the kernel has the bytes; on loopback the server's side has them then.
    func send(_ text: String) async throws {
        try await channel.writeAndFlush(ByteBuffer(string: text)).get()
    }

    func get(_ path: String = "/") async throws {
        try await send("GET \(path) HTTP/1.1\r\nHost: test\r\n\r\n")
    }

    func closeOutput() async throws {
        try await channel.close(mode: .output).get()
    }

    /// One response with a Content-Length; nil at the end of the connection.
    func response() async throws -> Reply? {
        while true {
            if let reply = Reply(parsing: &received) { return reply }
            guard let more = try await iterator.next() else { return nil }
            received.writeImmutableBuffer(more)
        }
    }

    /// All bytes up to the end of the connection; a reset is thrown.
    func rest() async throws -> String {
        while let more = try await iterator.next() { received.writeImmutableBuffer(more) }
        return received.readString(length: received.readableBytes) ?? ""
    }
}

struct Reply {
    let statusLine: String
    let fields: [String: String]
    let body: String

    var connection: String? { fields["connection"] }

    init?(parsing buffer: inout ByteBuffer) {
        let bytes = buffer.readableBytesView
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        var lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let statusLine = lines.removeFirst()
        var fields: [String: String] = [:]
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1)
            fields[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
        }
        let length = Int(fields["content-length"] ?? "0") ?? 0
        guard bytes[end.upperBound...].count >= length else { return nil }
        self.statusLine = String(statusLine)
        self.fields = fields
        self.body = String(decoding: bytes[end.upperBound...].prefix(length), as: UTF8.self)
        buffer.moveReaderIndex(forwardBy: bytes.distance(from: bytes.startIndex, to: end.upperBound) + length)
    }
}
