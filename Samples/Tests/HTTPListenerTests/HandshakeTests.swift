import DaemonKit
import HTTPListener
import HTTPTesting
import Hummingbird
import NIOCore
import Testing

@Suite("TLS connections", .timeLimit(.minutes(1)))
struct HandshakeTests {
    private var router: Router<BasicRequestContext> {
        let router = Router()
        router.get("/") { _, _ in "here" }
        return router
    }

    @Test(
        "HTTP/1.1 is spoken with who offers it alone, or nothing, or nothing that is known",
        arguments: [["http/1.1"], [], ["gopher"]]
    )
    func http1(offered: [String]) async throws {
        try await ServerUnderTest.run(router, secure: true) { server in
            try await Client.connect(to: server.port, offering: offered) { client in
                try await client.get()
                let reply = try #require(try await client.response())
                #expect(reply.statusLine == "HTTP/1.1 200 OK")
                #expect(reply.body == "here")
            }
        }
    }

    @Test("HTTP/2 is spoken with who offers it, in whatever order", arguments: [false, true])
    func http2(last: Bool) async throws {
        try await ServerUnderTest.run(router, secure: true) { server in
            let offered = last ? ["http/1.1", "h2"] : ["h2", "http/1.1"]
            try await Client.connect(to: server.port, offering: offered) { client in
                let frames = try await FrameClient(client)
                try await frames.send(.request(1))
                #expect(try await frames.response()?.body == "here")
            }
        }
    }

    @Test("a client that is slow with its handshake is let go")
    func timeout() async throws {
        try await ServerUnderTest.run(router, secure: true, { $0.handshakeTimeout = .milliseconds(20) }) {
            server in
            try await Client.connect(to: server.port) { client in await client.waitForEnd() }
        }
    }

    @Test("one who does not speak TLS is let go")
    func plain() async throws {
        try await ServerUnderTest.run(router, secure: true) { server in
            try await Client.connect(to: server.port) { client in
                try await client.get()
                await client.waitForEnd()
            }
        }
    }

    @Test(
        "a client that leaves in the middle of its handshake leaves nothing behind",
        arguments: [false, true]
    )
    func leaves(draining: Bool) async throws {
        try await ServerUnderTest.run(router, secure: true) { server in
            try await Client.connect(to: server.port) { client in
                if draining { try await server.drain() }
                try await client.closeOutput()
                await client.waitForEnd()
            }
            server.beginDrain()
            await server.waitUntilEnded()
        }
    }

    @Test("a connection that never shakes hands is let go when the grace of a drain is over")
    func neverShakesHands() async throws {
        try await ServerUnderTest.run(router, secure: true, { $0.drainGrace = .milliseconds(20) }) { server in
            try await Client.connect(to: server.port) { client in
                server.beginDrain()
                await client.waitForEnd()
                await server.waitUntilEnded()
            }
        }
    }

    @Test(
        "a handshake that a drain overtakes is finished, and one request is answered",
        arguments: ["http/1.1", "h2"]
    )
    func overtaken(version: String) async throws {
        try await ServerUnderTest.run(router, secure: true) { server in
            try await Client.connect(to: server.port, offering: [version]) { client in
                server.beginDrain()
                if version == "h2" {
                    let frames = try await FrameClient(client)
                    _ = try await frames.next(.goAway)
                    let ping = try #require(try await frames.next(.ping))
                    try await frames.send(.request(1))
                    #expect(try await frames.response()?.body == "here")
                    try await frames.send(Frame(.ping, flags: Frame.end, ping.payload))
                    #expect(try await frames.next(.goAway)?.number() == 1)
                } else {
                    try await client.get()
                    let reply = try #require(try await client.response())
                    #expect(reply.body == "here")
                    #expect(reply.connection == "close")
                }
                await client.waitForEnd()
            }
            await server.waitUntilEnded()
        }
    }

    @Test("a client that does not say goodbye is let go when it has lingered")
    func noGoodbye() async throws {
        try await ServerUnderTest.run(router, secure: true, { $0.lingerTimeout = .milliseconds(20) }) {
            server in
            try await server.connect { client in
                try await client.get()
                _ = try await client.response()
                try await client.stopReading()
                server.beginDrain()
                await server.waitUntilEnded()
            }
        }
    }
}
