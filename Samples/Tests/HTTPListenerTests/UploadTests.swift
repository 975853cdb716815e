import HTTPTesting
import Hummingbird
import NIOCore
import Testing

@testable import HTTPListener

@Suite("Uploads that the server does not read, or not at once", .timeLimit(.minutes(1)))
struct UploadTests {
    private let gate = Gate()

    private var router: Router<BasicRequestContext> {
        let router = Router()
        router.get("/") { _, _ in "here" }
        router.get("/large") { _, _ in String(repeating: "x", count: 1_000_000) }
        router.post("/early") { _, _ in "no" }
        router.post("/unread") { [gate] _, _ in
            try await gate.pass()
            return "done"
        }
        router.post("/read") { request, _ in
            "\(try await request.body.collect(upTo: 1 << 20).readableBytes)"
        }
        return router
    }

    private func run(secure: Bool, _ body: (ServerUnderTest) async throws -> Void) async throws {
        try await ServerUnderTest.run(
            router,
            secure: secure,
            {
                $0.idleTimeout = .milliseconds(20)
                // Idle ones of HTTP/2 have it once more.
                $0.drainGrace = .milliseconds(20)
            },
            body
        )
    }

    @Test("while the route does not read, HTTP/1 clients cannot be late", arguments: [false, true])
    func unread(secure: Bool) async throws {
        try await run(secure: secure) { server in
            try await server.connect { client in
                let head = "POST /unread HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
                // More parts than are read ahead.
                try await client.send(head + String(repeating: "1\r\nx\r\n", count: 100))
                await gate.arrived()
                try await server.outlastIdle()
                try await client.send("0\r\n\r\n")
                gate.open()
                #expect(try await client.response()?.body == "done")
            }
        }
    }

    @Test("while the route does not read, HTTP/2 clients cannot be late")
    func unread2() async throws {
        try await run(secure: true) { server in
            try await FrameClient.connect(to: server.port) { client in
                let body = Array(repeating: Frame(.data, stream: 1, [0]), count: 100)
                try await client.send([.request(1, "/unread", method: 3, isWhole: false)] + body)
                await gate.arrived()
                try await server.outlastIdle(version: "h2")
                try await client.send([Frame(.data, flags: Frame.end, stream: 1)])
                gate.open()
                #expect(try await client.response()?.body == "done")
            }
        }
    }

    @Test("one that the route reads and of which nothing more comes is ended", arguments: [false, true])
    func stalled(secure: Bool) async throws {
        try await run(secure: secure) { server in
            try await server.connect { client in
                try await client.send("POST /read HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\npart")
                await client.waitForEnd()
            }
        }
    }

    @Test("one that HTTP/2 answers early may go on: its response waits for nobody any more")
    func early() async throws {
        try await ServerUnderTest.run(router, secure: true, { $0.writeTimeout = .milliseconds(20) }) {
            server in
            try await FrameClient.connect(to: server.port) { client in
                try await client.send([.request(1, "/early", method: 3, isWhole: false)])
                #expect(try await client.response()?.body == "no")
                // Answered later, and not taken: when its time is over, that of the first would be, too.
                try await client.send([.request(3, "/large")])
                #expect(try await client.next(.reset)?.stream == 3)
            }
        }
    }

    // MARK: Decisions

    private func second(_ number: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(number) }

    @Test("the client's time begins with the reading, and is renewed by what comes")
    func turns() {
        var lifecycle = HTTP1Lifecycle(HTTPConfiguration())
        lifecycle.connected(now: second(0))
        lifecycle.readRequested(now: second(0))
        #expect(lifecycle.deadline == second(30))
        _ = lifecycle.requestHead(keepAlive: true, hosts: 1, isVersion10: false, now: second(1))
        #expect(lifecycle.deadline == nil)
        lifecycle.readRequested(now: second(2))
        lifecycle.readRequested(now: second(3))
        #expect(lifecycle.deadline == second(62))
        _ = lifecycle.requestBody(now: second(61))
        #expect(lifecycle.deadline == nil)
        lifecycle.readRequested(now: second(100))
        #expect(lifecycle.deadline == second(160))
        _ = lifecycle.requestEnd(now: second(101))
        lifecycle.readRequested(now: second(102))
        #expect(lifecycle.deadline == nil, "how long a route takes is its own business")
    }

    @Test("so it is in HTTP/2")
    func turns2() {
        var lifecycle = HTTP2Lifecycle<Int>(HTTPConfiguration())
        lifecycle.connected(now: second(0))
        lifecycle.opened(1, now: second(0))
        _ = lifecycle.received(1, isEnd: false, now: second(1))
        #expect(lifecycle.deadlinePassed(unsent: 0, now: second(1000)) == [])
        lifecycle.readRequested(1, now: second(1001))
        lifecycle.readRequested(1, now: second(1002))
        #expect(lifecycle.deadline == second(1061))
        _ = lifecycle.received(1, isEnd: true, now: second(1003))
        lifecycle.readRequested(1, now: second(1003))
        #expect(lifecycle.deadlinePassed(unsent: 0, now: second(1061)) == [])
        #expect(lifecycle.deadline == nil)
    }
}
