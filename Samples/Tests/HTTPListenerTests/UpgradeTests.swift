import HTTPTesting
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import HTTPListener

@Suite("Requests to leave HTTP/1, which nobody answers with a switch", .timeLimit(.minutes(1)))
struct UpgradeTests {
    private var router: Router<BasicRequestContext> {
        let router = Router()
        router.get("/") { _, _ in "here" }
        return router
    }

    @Test(
        "such a request is answered, and is the last one of its connection",
        arguments: [
            "GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: test\r\nConnection: keep-alive\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
            "CONNECT test:80 HTTP/1.1\r\nHost: test\r\n\r\n",
        ],
        [false, true]
    )
    func last(request: String, secure: Bool) async throws {
        try await ServerUnderTest.run(router, secure: secure) { server in
            try await server.connect { client in
                try await client.send(request)
                try await client.get()
                let reply = try #require(try await client.response())
                try #require(reply.connection == "close")
                #expect(try await client.response() == nil)
            }
        }
    }

    @Test("where only one of the two fields is there, the connection goes on")
    func half() async throws {
        try await ServerUnderTest.run(router) { server in
            try await server.connect { client in
                try await client.send("GET / HTTP/1.1\r\nHost: test\r\nUpgrade: h2c\r\n\r\n")
                #expect(try await client.response()?.connection == nil)
                try await client.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\n\r\n")
                #expect(try await client.response()?.connection == nil)
                try await client.get()
                #expect(try await client.response()?.body == "here")
            }
        }
    }

    @Test("what is poured in behind it does not get to the decoder, which would collect it")
    func poured() async throws {
        let request = "GET / HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
        let decoded = Counter()
        var configuration = HTTPConfiguration()
        configuration.lingerTimeout = .hours(1)
        let http1 = HTTP1(responder: router.buildResponder(), configuration: configuration)
        let http = HTTP(channel: CountedHTTP1(http1: http1, decoded: decoded))
        try await ServerUnderTest.run(http) { server in
            try await server.connect { client in
                try await client.send(request)
                #expect(try await client.response()?.connection == "close")
                #expect(try await client.response() == nil)
                try await client.send(String(repeating: "x", count: 1_000_000))
            }
            await server.waitUntilEmpty()
        }
        #expect(decoded.bytes.load(ordering: .relaxed) == request.utf8.count)
    }
}

/// How many bytes have come somewhere.
private final class Counter: Sendable {
    let bytes = Atomic(0)
}

/// HTTP/1 that counts what its decoder is given.
private struct CountedHTTP1: ServerChildChannel {
    let http1: HTTP1
    let decoded: Counter

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1.Value> {
        http1.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let dropping = try pipeline.handler(type: DroppingHandler.self)
            try pipeline.addHandler(CountingHandler(decoded), position: .after(dropping))
            return value
        }
    }

    func handle(value: HTTP1.Value, logger: Logger) async {
        await http1.handle(value: value, logger: logger)
    }
}

private final class CountingHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let counter: Counter

    init(_ counter: Counter) {
        self.counter = counter
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        counter.bytes.wrappingAdd(unwrapInboundIn(data).readableBytes, ordering: .relaxed)
        context.fireChannelRead(data)
    }
}
