import DaemonKit
import HTTPTesting
import Hummingbird
import NIOCore
import Testing

@testable import HTTPListener

@Suite("Draining HTTP/1, plain and over TLS", .timeLimit(.minutes(1)))
struct DrainTests {
    private let gate = Gate()

    private var router: Router<BasicRequestContext> {
        let router = Router()
        router.get("/") { _, _ in "here" }
        router.get("/gated") { [gate] _, _ in
            try await gate.pass()
            return "done"
        }
        router.get("/large") { [gate] _, _ in
            try await gate.pass()
            return String(repeating: "x", count: 20_000_000)
        }
        router.post("/upload") { [gate] request, _ in
            gate.open()
            try await gate.pass()
            return "\(try await request.body.collect(upTo: 1 << 20).readableBytes)"
        }
        return router
    }

    @Test("a request in flight is finished, and its response ends the connection", arguments: [false, true])
    func inFlight(secure: Bool) async throws {
        try await ServerUnderTest.run(router, secure: secure) { server in
            try await server.connect { client in
                try await client.get("/gated")
                await gate.arrived()
                server.beginDrain()
                gate.open()
                let reply = try #require(try await client.response())
                #expect(reply.body == "done")
                #expect(reply.connection == "close")
                #expect(try await client.response() == nil)
            }
            await server.waitUntilEnded()
        }
    }

    @Test("an idle kept-alive connection is closed at once", arguments: [false, true])
    func idle(secure: Bool) async throws {
        try await ServerUnderTest.run(router, secure: secure) { server in
            try await server.connect { client in
                try await client.get()
                let reply = try #require(try await client.response())
                #expect(reply.connection == nil)
                server.beginDrain()
                #expect(try await client.response() == nil)
                await server.waitUntilEnded()
            }
        }
    }

    @Test("a request on the wire of a kept-alive connection is answered", arguments: [false, true])
    func onTheWire(secure: Bool) async throws {
        try await ServerUnderTest.run(router, secure: secure, { $0.idleDrainGrace = .hours(1) }) { server in
            try await server.connect { client in
                try await client.get()
                _ = try await client.response()
                // It arrives when the connection knows, and would be closed in the next moment.
                try await server.drain()
                try await client.get()
                let reply = try #require(try await client.response())
                #expect(reply.body == "here")
                #expect(reply.connection == "close")
                #expect(try await client.response() == nil)
            }
            await server.waitUntilEnded()
        }
    }

    @Test("a connection that has sent nothing yet is given time for its request", arguments: [false, true])
    func fresh(secure: Bool) async throws {
        try await ServerUnderTest.run(router, secure: secure) { server in
            try await server.connect { client in
                server.beginDrain()
                try await client.get()
                let reply = try #require(try await client.response())
                #expect(reply.connection == "close")
                #expect(try await client.response() == nil)
            }
            await server.waitUntilEnded()
        }
    }

    @Test("a request of which a part has come is answered", arguments: [false, true])
    func partialHead(secure: Bool) async throws {
        try await ServerUnderTest.run(router, secure: secure, { $0.idleDrainGrace = .hours(1) }) { server in
            try await server.connect { client in
                try await client.get()
                _ = try await client.response()
                try await client.send("GET / HTTP/1.1\r\nHo")
                server.beginDrain()
                try await client.send("st: test\r\n\r\n")
                let reply = try #require(try await client.response())
                #expect(reply.body == "here")
                #expect(reply.connection == "close")
            }
            await server.waitUntilEnded()
        }
    }

    @Test(
        "a connection that goes on sending nothing is let go when the grace is over",
        arguments: [false, true]
    )
    func silent(secure: Bool) async throws {
        try await ServerUnderTest.run(router, secure: secure, { $0.drainGrace = .milliseconds(20) }) {
            server in
            try await server.connect { client in
                server.beginDrain()
                let reply = try? await client.response()
                #expect(reply?.body == nil)
                await server.waitUntilEnded()
            }
        }
    }

    @Test("a client that keeps sending is let go with its next response", arguments: [false, true])
    func keepsSending(secure: Bool) async throws {
        try await ServerUnderTest.run(router, secure: secure) { server in
            try await server.connect { client in
                try await client.get("/gated")
                await gate.arrived()
                // The response is not to overtake that.
                try await server.drain()
                try await client.get()
                try await client.get()
                gate.open()
                let reply = try #require(try await client.response())
                #expect(reply.body == "done")
                #expect(reply.connection == "close")
                #expect(try await client.response() == nil)
            }
            await server.waitUntilEnded()
        }
    }

    @Test(
        "a large response reaches a slow reader whole",
        arguments: [(false, false), (false, true), (true, false)]
    )
    func large(secure: Bool, halfClosed: Bool) async throws {
        try await ServerUnderTest.run(router, secure: secure) { server in
            try await server.connect { client in
                try await client.get("/large")
                await gate.arrived()
                if halfClosed { try await client.closeOutput() }
                server.beginDrain()
                gate.open()
                let reply = try #require(try await client.response())
                #expect(reply.body.utf8.count == 20_000_000)
                #expect(try await client.response() == nil)
            }
            await server.waitUntilEnded()
        }
    }

    @Test("a client that never closes is let go when it has lingered", arguments: [false, true])
    func lingering(secure: Bool) async throws {
        try await ServerUnderTest.run(router, secure: secure, { $0.lingerTimeout = .milliseconds(20) }) {
            server in
            try await server.connect { client in
                try await client.get("/gated")
                await gate.arrived()
                server.beginDrain()
                gate.open()
                _ = try await client.response()
                await server.waitUntilEnded()
            }
        }
    }

    @Test("an upload that never ends does not outlast the limit", arguments: [false, true])
    func endlessUpload(secure: Bool) async throws {
        try await ServerUnderTest.run(router, secure: secure) { server in
            try await server.connect { client in
                let head = "POST /upload HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n"
                try await client.send(head + "part")
                await gate.arrived()
                server.beginDrain()
                server.cut()
                await server.waitUntilEnded()
                #expect(server.session.connectionCount == 0)
            }
        }
    }

    @Test("a cut cancels the route, and closes the connection", arguments: [false, true])
    func cut(secure: Bool) async throws {
        try await ServerUnderTest.run(router, secure: secure) { server in
            try await server.connect { client in
                try await client.get("/gated")
                await gate.arrived()
                server.cut()
                let reply = try? await client.response()
                #expect(reply?.body == nil)
                await server.waitUntilEnded()
            }
        }
    }
}
