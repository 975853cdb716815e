import DaemonKit
import HTTPListener
import HTTPTesting
import Hummingbird
import NIOCore
import Testing

@Suite("HTTP/2 responses that are written and not yet sent", .timeLimit(.minutes(1)))
struct HTTP2SendingTests {
    /// Runs `body` when more than the kernel takes is written: with these windows that is one writing.
    private func run(
        _ change: (inout HTTPConfiguration) -> Void = { _ in },
        _ body: (ServerUnderTest, FrameClient) async throws -> Void
    ) async throws {
        let router = Router()
        router.get("/") { _, _ in "here" }
        router.get("/large") { _, _ in String(repeating: "x", count: 20_000_000) }
        try await ServerUnderTest.run(
            router,
            secure: true,
            {
                $0.drainGrace = .milliseconds(20)
                // Else TLS's own end would be waited for with all that is not sent.
                $0.lingerTimeout = .zero
                change(&$0)
            }
        ) { server in
            try await FrameClient.connect(to: server.port) { client in
                try await client.send(
                    Frame(.settings, [0, 4, 0x7F, 0xFF, 0xFF, 0xFF]),
                    Frame(.window, [0x7F, 0xFF, 0, 0]),
                    .request(1, "/large")
                )
                _ = try await client.next(.headers)
                try await body(server, client)
            }
            await server.waitUntilEnded()
        }
    }

    private func take(_ client: FrameClient) async throws {
        var size = 0
        while let frame = try await client.next(.data) {
            size += frame.payload.count
            if frame.flags & Frame.end != 0 { break }
        }
        #expect(size == 20_000_000)
    }

    @Test("a drain closes when the client has been sent all, and what it is to know")
    func drain() async throws {
        try await run { server, client in
            try await server.outlastIdle(version: "h2") { try await server.drain() }
            try await take(client)
            #expect(try await client.next(.goAway)?.number() == 0x7FFF_FFFF)
            #expect(try await client.next(.goAway)?.number() == 1)
            await client.waitForEnd()
        }
    }

    @Test("a client that breaks the rules is sent what it asked for before, and why it ends")
    func broken() async throws {
        try await run { server, client in
            try await client.send(Frame(.data, Array("of no request".utf8)))
            try await server.outlastIdle(version: "h2") { try await server.drain() }
            try await take(client)
            #expect(try await client.next(.goAway)?.number(at: 4) == 1, "PROTOCOL_ERROR")
            await client.waitForEnd()
        }
    }

    @Test("a client that takes nothing is let go", arguments: [false, true])
    func takesNothing(broken: Bool) async throws {
        try await run({ $0.writeTimeout = .milliseconds(20) }) { server, client in
            if broken { try await client.send(Frame(.data, Array("of no request".utf8))) }
            server.beginDrain()
            await server.waitUntilEnded()
        }
    }
}
