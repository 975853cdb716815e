import DaemonKit
import HTTPListener
import HTTPTesting
import Hummingbird
import NIOCore
import Testing

@Suite("HTTP/2", .timeLimit(.minutes(1)))
struct HTTP2Tests {
    private let gate = Gate()
    private let ended = Gate()

    private var router: Router<BasicRequestContext> {
        let router = Router()
        router.get("/") { _, _ in "here" }
        router.get("/gated") { [gate] _, _ in
            try await gate.pass()
            return "done"
        }
        router.get("/watched") { [gate, ended] _, _ in
            do { try await gate.pass() } catch { ended.open() }
            return "done"
        }
        router.get("/large") { _, _ in String(repeating: "x", count: 1_000_000) }
        router.get("/close") { _, _ in
            Response(status: .ok, headers: [.connection: "close", .contentLength: "0"])
        }
        router.post("/upload") { [gate] request, _ in
            gate.open()
            try await gate.pass()
            return "\(try await request.body.collect(upTo: 1 << 20).readableBytes)"
        }
        return router
    }

    private func run(
        _ change: (inout HTTPConfiguration) -> Void = { _ in },
        _ body: (ServerUnderTest, FrameClient) async throws -> Void
    ) async throws {
        try await ServerUnderTest.run(router, secure: true, change) { server in
            try await FrameClient.connect(to: server.port) { client in try await body(server, client) }
            // Whatever was tested, nothing of it is left.
            server.cut()
            await server.waitUntilEnded()
            #expect(server.session.connectionCount == 0)
        }
    }

    // MARK: Requests

    @Test("requests are answered, many on one connection, in the order in which they are done")
    func requests() async throws {
        try await run { _, client in
            try await client.send(.request(1, "/gated"), .request(3))
            await gate.arrived()
            let second = try #require(try await client.next(.headers))
            #expect(second.stream == 3)
            #expect(try client.fields(of: second)[":status"] == "200")
            #expect(try await client.next(.data)?.payload == Array("here".utf8))
            gate.open()
            let first = try #require(try await client.next(.headers))
            #expect(first.stream == 1)
            #expect(try await client.next(.data)?.payload == Array("done".utf8))
        }
    }

    @Test("fields that are a connection's do not get into a response")
    func connectionFields() async throws {
        try await run { _, client in
            try await client.send(.request(1, "/close"))
            let response = try #require(try await client.response())
            #expect(response.fields[":status"] == "200")
            #expect(response.fields["connection"] == nil)
            #expect(response.fields["date"] != nil)
        }
    }

    @Test("a request that the client takes back cancels its route")
    func takenBack() async throws {
        try await run { _, client in
            try await client.send(.request(1, "/watched"))
            await gate.arrived()
            try await client.send(Frame(.reset, stream: 1, [0, 0, 0, 8]))
            try? await ended.pass()
        }
    }

    // MARK: Limits

    @Test("a client that asks for more at once than it may is let go")
    func concurrency() async throws {
        try await run({ $0.maxConcurrentStreams = 1 }) { _, client in
            let settings = try #require(try await client.next(.settings))
            #expect(settings.payload.starts(with: [0, 3, 0, 0, 0, 1]), "SETTINGS_MAX_CONCURRENT_STREAMS")
            // In force from its acknowledgement on.
            try await client.send(Frame(.settings, flags: Frame.end))
            try await client.send(.request(1, "/gated"))
            await gate.arrived()
            try await client.send(.request(3))
            let refusal = try #require(try await client.next(.reset, .goAway))
            #expect(refusal.kind == .goAway)
            #expect(refusal.number(at: 4) == 1, "PROTOCOL_ERROR")
            await client.waitForEnd()
        }
    }

    @Test("a client that opens and takes back requests all the time is let go")
    func rapidReset() async throws {
        try await run { _, client in
            for stream in stride(from: UInt32(1), to: 1001, by: 2) {
                guard
                    (try? await client.send(
                        .request(stream, "/watched"),
                        Frame(.reset, stream: stream, [0, 0, 0, 8])
                    )) != nil
                else { break }
            }
            await client.waitForEnd()
        }
    }

    @Test("what is no HTTP/2 ends the connection")
    func nonsense() async throws {
        try await ServerUnderTest.run(router, secure: true) { server in
            try await Client.connect(to: server.port, offering: ["h2"]) { client in
                try await client.send(String(repeating: "nonsense", count: 10))
                await client.waitForEnd()
            }
        }
    }

    @Test("a client that asks for nothing is let go when the time for its first request is over")
    func headTimeout() async throws {
        try await ServerUnderTest.run(
            router,
            secure: true,
            {
                $0.headTimeout = .milliseconds(20)
                $0.drainGrace = .milliseconds(20)
            }
        ) { server in
            try await Client.connect(to: server.port, offering: ["h2"]) { client in
                await client.waitForEnd()
            }
            await server.waitUntilEmpty()
        }
    }

    @Test("a client that asks for nothing more is let go")
    func idleTimeout() async throws {
        try await run({ $0.idleTimeout = .milliseconds(20) }) { _, client in
            try await client.send(.request(1))
            #expect(try await client.response()?.body == "here")
            #expect(try await client.hearEnd().map { $0.number() } == [0x7FFF_FFFF, 1])
            #expect(try await client.next() == nil)
        }
    }

    @Test("an upload of which nothing more comes is ended")
    func stalledUpload() async throws {
        try await run({ $0.idleTimeout = .milliseconds(20) }) { _, client in
            try await client.send(.request(1, "/upload", method: 3, isWhole: false))
            #expect(try await client.next(.reset)?.stream == 1)
        }
    }

    @Test("a response of which the client takes nothing more is ended")
    func stalledResponse() async throws {
        try await run({ $0.writeTimeout = .milliseconds(20) }) { _, client in
            try await client.send(.request(1, "/large"))
            let head = try #require(try await client.next(.headers))
            #expect(try client.fields(of: head)["content-length"] == "1000000")
            var size = 0
            while let frame = try await client.next(.data, .reset), frame.kind == .data {
                size += frame.payload.count
            }
            #expect(size == 65535, "what the client's window allows")
            try await client.send(Frame(.window, [0, 1, 0, 0]), .request(3))
            #expect(try await client.response()?.body == "here", "the others go on")
        }
    }

    // MARK: Draining

    @Test("a request in flight is finished, and then the connection closed")
    func inFlight() async throws {
        try await run { server, client in
            try await client.send(.request(1, "/gated"))
            await gate.arrived()
            server.beginDrain()
            #expect(try await client.hearEnd().map { $0.number() } == [0x7FFF_FFFF, 1])
            gate.open()
            #expect(try await client.response()?.body == "done")
            #expect(try await client.next() == nil)
            await server.waitUntilEnded()
        }
    }

    @Test("an idle connection ends as soon as the client has heard of it")
    func idle() async throws {
        try await run { server, client in
            try await client.send(.request(1))
            _ = try await client.response()
            server.beginDrain()
            #expect(try await client.hearEnd().map { $0.number(at: 4) } == [0, 0], "NO_ERROR")
            #expect(try await client.next() == nil)
            await server.waitUntilEnded()
        }
    }

    @Test("a request that was sent before the client has heard of the drain is answered")
    func onTheWire() async throws {
        try await run { server, client in
            try await client.send(.request(1))
            _ = try await client.response()
            server.beginDrain()
            _ = try await client.next(.goAway)
            let ping = try #require(try await client.next(.ping))
            try await client.send(.request(3, "/gated"), Frame(.ping, flags: Frame.end, ping.payload))
            #expect(try await client.next(.goAway)?.number() == 3)
            gate.open()
            #expect(try await client.response()?.body == "done")
            #expect(try await client.next() == nil)
            await server.waitUntilEnded()
        }
    }

    @Test("a client that does not say that it has heard is let go when the grace is over")
    func neverHears() async throws {
        try await run({ $0.drainGrace = .milliseconds(20) }) { server, client in
            try await client.send(.request(1, "/gated"))
            await gate.arrived()
            server.beginDrain()
            #expect(try await client.next(.goAway)?.number() == 0x7FFF_FFFF)
            #expect(try await client.next(.goAway)?.number() == 1)
            gate.open()
            #expect(try await client.response()?.body == "done")
            await client.waitForEnd()
            await server.waitUntilEnded()
        }
    }

    @Test("a client that never closes is let go when it has lingered")
    func lingering() async throws {
        try await run({ $0.lingerTimeout = .milliseconds(20) }) { server, client in
            try await client.send(.request(1))
            _ = try await client.response()
            server.beginDrain()
            _ = try await client.hearEnd()
            await server.waitUntilEnded()
        }
    }

    @Test("an upload that never ends does not outlast the limit")
    func endlessUpload() async throws {
        try await run { server, client in
            try await client.send(
                .request(1, "/upload", method: 3, isWhole: false),
                Frame(.data, stream: 1, Array("part".utf8))
            )
            await gate.arrived()
            server.beginDrain()
            server.cut()
            await server.waitUntilEnded()
        }
    }

    @Test("a cut cancels the routes, and closes the connection")
    func cut() async throws {
        try await run { server, client in
            try await client.send(.request(1, "/watched"))
            await gate.arrived()
            server.cut()
            await client.waitForEnd()
            try? await ended.pass()
            await server.waitUntilEnded()
        }
    }
}
