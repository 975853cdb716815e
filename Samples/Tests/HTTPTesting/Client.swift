import NIOCore
import NIOPosix
public import NIOSSL
import NIOTLS

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A client that sends bytes as they are given, and tells bytes as they come; over TLS, where it is to.
public final class Client {
    private let channel: any Channel
    private var iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private var received = ByteBuffer()

    private init(channel: any Channel, iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator) {
        self.channel = channel
        self.iterator = iterator
    }

    /// Connects to a port of this machine, and closes the connection when `body` has returned.
    ///
    /// - Parameters:
    ///   - port: Where to.
    ///   - offered: The protocols to offer in a TLS handshake, to a server of whatever certificate; nil for no
    ///     TLS.
    ///   - body: What to do with the connection.
    /// - Throws: What kept it from being made, and what `body` throws.
    public static func connect(
        to port: Int,
        offering offered: [String]? = nil,
        _ body: (Client) async throws -> Void
    ) async throws {
        let connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            // In TLS it is to answer a goodbye at once, as browsers do.
            .channelOption(.allowRemoteHalfClosure, value: offered == nil)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let offered { try addTLS(offered, to: channel) }
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        try await connection.executeThenClose { inbound, _ in
            try await body(Client(channel: connection.channel, iterator: inbound.makeAsyncIterator()))
        }
    }

    private static func addTLS(_ offered: [String], to channel: any Channel) throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        configuration.applicationProtocols = offered
        // Nothing that a test asks is left open by then.
        configuration.shutdownTimeout = .milliseconds(100)
        let context = try NIOSSLContext(configuration: configuration)
        let tls = try NIOSSLClientHandler(context: context, serverHostname: nil)
        try channel.pipeline.syncOperations.addHandler(tls)
    }

    /// Returns when the kernel has the bytes; on loopback the server's side has them then.
    public func send(_ text: String) async throws {
        try await send(Array(text.utf8))
    }

    /// Returns when the kernel has the bytes; on loopback the server's side has them then.
    public func send(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
    }

    /// Asks for a page.
    public func get(_ path: String = "/") async throws {
        try await send("GET \(path) HTTP/1.1\r\nHost: test\r\n\r\n")
    }

    /// Ends the sending.
    public func closeOutput() async throws {
        try await channel.close(mode: .output).get()
    }

    /// Closes the connection with a reset: nothing that is under way on it counts any more.
    public func reset() async throws {
        let socket = channel as? any SocketOptionProvider
        try await socket?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        try await channel.close().get()
    }

    /// Reads nothing any more, no end either.
    public func stopReading() async throws {
        try await channel.setOption(.autoRead, value: false).get()
    }

    /// The certificate that the server has shown.
    public func certificate() async throws -> NIOSSLCertificate? {
        try await channel.nioSSL_peerCertificate().get()
    }

    /// One response with a Content-Length; nil at the end of the connection.
    public func response() async throws -> Reply? {
        while true {
            if let reply = Reply(parsing: &received) { return reply }
            guard try await readMore() else { return nil }
        }
    }

    /// So many bytes; nil where the connection ends before.
    public func read(_ count: Int) async throws -> [UInt8]? {
        while received.readableBytes < count {
            guard try await readMore() else { return nil }
        }
        return received.readBytes(length: count)
    }

    /// All bytes up to the end of the connection; a reset is thrown.
    public func rest() async throws -> String {
        while try await readMore() {}
        return received.readString(length: received.readableBytes) ?? ""
    }

    /// Waits for the end of the connection, whatever comes before and however it ends.
    public func waitForEnd() async {
        while (try? await readMore()) == true { received.clear() }
    }

    private func readMore() async throws -> Bool {
        guard let more = try await iterator.next() else { return false }
        received.writeImmutableBuffer(more)
        return true
    }
}
