import HTTPListener
import HTTPTesting
import Hummingbird
import Testing

@Suite("HTTP/1 requests whose client has gone", .timeLimit(.minutes(1)))
struct AbandonedTests {
    private let gate = Gate()
    private let ended = Gate()

    private var router: Router<BasicRequestContext> {
        let router = Router()
        router.on("/watched", method: .get) { [gate, ended] _, _ in
            do { try await gate.pass() } catch { ended.open() }
            return "done"
        }
        router.on("/watched", method: .post) { [gate, ended] _, _ in
            do { try await gate.pass() } catch { ended.open() }
            return "done"
        }
        return router
    }

    @Test(
        "a reset cancels the route, and the connection no longer counts",
        arguments: [
            "GET /watched HTTP/1.1\r\nHost: test\r\n\r\n",
            // More parts than are read ahead: nobody is reading any more.
            "POST /watched HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
                + String(repeating: "1\r\nx\r\n", count: 100),
        ]
    )
    func reset(request: String) async throws {
        try await ServerUnderTest.run(router) { server in
            try await server.connect { client in
                try await client.send(request)
                await gate.arrived()
                try await client.reset()
                try? await ended.pass()
                await server.waitUntilEmpty()
            }
        }
    }

    @Test("a client that has only ended its sending gets its response")
    func halfClosed() async throws {
        try await ServerUnderTest.run(router) { server in
            try await server.connect { client in
                try await client.get("/watched")
                try await client.closeOutput()
                await gate.arrived()
                gate.open()
                #expect(try await client.response()?.body == "done")
                #expect(try await client.response() == nil)
            }
        }
    }
}
