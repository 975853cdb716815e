import DaemonKit
import HTTPListener
import HTTPTesting
import Hummingbird
import Testing

@Suite("Whether an HTTP connection goes on", .timeLimit(.minutes(1)))
struct PersistenceTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let version: String
        let field: String?
        let answer: String?

        var testDescription: String { "HTTP/\(version), Connection: \(field ?? "none")" }
        var request: String {
            "GET / HTTP/\(version)\r\nHost: test\r\n\(field.map { "Connection: \($0)\r\n" } ?? "")\r\n"
        }
    }

    private let gate = Gate()

    private var router: Router<BasicRequestContext> {
        let router = Router()
        router.get("/") { _, _ in "here" }
        router.get("/close") { _, _ in
            Response(status: .ok, headers: [.connection: "close", .contentLength: "0"])
        }
        router.post("/upload") { [gate] request, _ in
            try await gate.pass()
            return "\(try await request.body.collect(upTo: 1 << 20).readableBytes)"
        }
        router.get("/stream") { _, _ in
            Response(
                status: .ok,
                body: .init { writer in
                    try await writer.write(.init(string: "here"))
                    try await writer.finish(nil)
                }
            )
        }
        return router
    }

    @Test(
        "it ends where either side says so, and the response says it too",
        arguments: [
            Case(version: "1.1", field: "close", answer: "close"),
            Case(version: "1.1", field: "Close", answer: "close"),
            Case(version: "1.1", field: "keep-alive, close", answer: "close"),
            Case(version: "1.0", field: nil, answer: "close"),
        ]
    )
    func ends(row: Case) async throws {
        try await ServerUnderTest.run(router) { server in
            try await server.connect { client in
                try await client.send(row.request)
                let reply = try #require(try await client.response())
                #expect(reply.body == "here")
                #expect(reply.connection == row.answer)
                #expect(try await client.response() == nil)
            }
        }
    }

    @Test(
        "it goes on where both sides want it to",
        arguments: [
            Case(version: "1.1", field: nil, answer: nil),
            Case(version: "1.1", field: "keep-alive", answer: nil),
            Case(version: "1.0", field: "keep-alive", answer: "keep-alive"),
            Case(version: "1.0", field: "Keep-Alive", answer: "keep-alive"),
        ]
    )
    func goesOn(row: Case) async throws {
        try await ServerUnderTest.run(router) { server in
            try await server.connect { client in
                for _ in 0..<2 {
                    try await client.send(row.request)
                    let reply = try #require(try await client.response())
                    #expect(reply.body == "here")
                    #expect(reply.connection == row.answer)
                }
            }
        }
    }

    @Test("a route's own Connection: close ends it")
    func routeCloses() async throws {
        try await ServerUnderTest.run(router) { server in
            try await server.connect { client in
                try await client.get("/close")
                #expect(try await client.response()?.connection == "close")
                #expect(try await client.response() == nil)
            }
        }
    }

    @Test("a stream to an HTTP/1.0 client is not chunked: its end is the connection's")
    func streamTo10() async throws {
        try await ServerUnderTest.run(router) { server in
            try await server.connect { client in
                try await client.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                let text = try await client.rest()
                #expect(text.hasSuffix("\r\n\r\nhere"))
                #expect(text.lowercased().contains("connection: close"))
                #expect(!text.lowercased().contains("chunked"))
            }
        }
    }

    @Test("requests that are sent without waiting are answered in order")
    func pipelined() async throws {
        try await ServerUnderTest.run(router) { server in
            try await server.connect { client in
                let request = "GET / HTTP/1.1\r\nHost: test\r\n\r\n"
                let last = "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
                try await client.send(request + request + last)
                #expect(try await client.response()?.connection == nil)
                #expect(try await client.response()?.connection == nil)
                #expect(try await client.response()?.connection == "close")
                #expect(try await client.response() == nil)
            }
        }
    }

    /// Requests that come at once, and the response that is the only one.
    struct Cut: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let requests: [String]
        let version: String
    }

    @Test(
        "behind a response that ends the connection nothing is answered",
        arguments: [
            Cut(
                testDescription: "the route says so",
                requests: ["GET /close HTTP/1.1\r\nHost: test", "GET / HTTP/1.1\r\nHost: test"],
                version: "1.1"
            ),
            Cut(
                testDescription: "a stream to HTTP/1.0",
                requests: Array(repeating: "GET /stream HTTP/1.0\r\nConnection: keep-alive", count: 2),
                version: "1.0"
            ),
            Cut(
                testDescription: "the version changes from 1.0",
                requests: [
                    "GET /stream HTTP/1.0\r\nConnection: keep-alive", "GET / HTTP/1.1\r\nHost: test",
                ],
                version: "1.0"
            ),
            Cut(
                testDescription: "the version changes to 1.0",
                requests: ["GET / HTTP/1.1\r\nHost: test", "GET / HTTP/1.0\r\nConnection: keep-alive"],
                version: "1.1"
            ),
        ]
    )
    func cut(row: Cut) async throws {
        try await ServerUnderTest.run(router) { server in
            try await server.connect { client in
                try await client.send(row.requests.map { "\($0)\r\n\r\n" }.joined())
                let text = try await client.rest().lowercased()
                #expect(text.hasPrefix("http/\(row.version) 200 ok\r\n"))
                #expect(text.ranges(of: "http/1.").count == 1)
                #expect(text.contains("\r\nconnection: close\r\n"))
                #expect(!text.contains("chunked"))
            }
        }
    }

    @Test("a client that has ended its sending still gets its response")
    func halfClosed() async throws {
        try await ServerUnderTest.run(router) { server in
            try await server.connect { client in
                try await client.get()
                try await client.closeOutput()
                #expect(try await client.response()?.body == "here")
                #expect(try await client.response() == nil)
            }
        }
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let request: String
        var statusLine = "HTTP/1.1 400 Bad Request"
    }

    @Test(
        "what is no request is refused",
        arguments: [
            Refused(testDescription: "no host", request: "GET / HTTP/1.1\r\n\r\n"),
            Refused(testDescription: "two hosts", request: "GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n"),
            Refused(testDescription: "nonsense", request: "nonsense\r\n\r\n"),
            Refused(
                testDescription: "a large head",
                request: "GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 90_000))\r\n\r\n",
                statusLine: "HTTP/1.1 431 Request Header Fields Too Large"
            ),
        ]
    )
    func refused(row: Refused) async throws {
        try await ServerUnderTest.run(router) { server in
            try await server.connect { client in
                try await client.send(row.request)
                let reply = try #require(try await client.response())
                #expect(reply.statusLine == row.statusLine)
                #expect(reply.connection == "close")
                #expect(!reply.body.isEmpty)
                #expect(try await client.response() == nil)
            }
        }
    }

    @Test("what a client still sends when it has been refused is dropped until it closes")
    func sendsOn() async throws {
        try await ServerUnderTest.run(router, { $0.idleTimeout = .milliseconds(20) }) { server in
            try await server.connect { client in
                try await client.send("nonsense\r\n\r\n")
                #expect(try await client.response()?.statusLine == "HTTP/1.1 400 Bad Request")
                #expect(try await client.response() == nil)
                for _ in 0..<2 {
                    try await client.send("more of it")
                    // It has been read, and would have been answered with a reset.
                    try await server.outlastIdle()
                }
                #expect(server.session.connectionCount > 0)
                try await client.closeOutput()
                await server.waitUntilEmpty()
            }
        }
    }

    @Test("a body that is broken leaves its route the time that it takes")
    func brokenBody() async throws {
        try await ServerUnderTest.run(router, { $0.idleTimeout = .milliseconds(20) }) { server in
            try await server.connect { client in
                let head = "POST /upload HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
                try await client.send(head + "1\r\nx\r\nno length\r\n")
                await gate.arrived()
                try await client.send("more of it")
                try await server.outlastIdle()
                gate.open()
                #expect(try await client.response()?.statusLine == "HTTP/1.1 400 Bad Request")
                #expect(try await client.response() == nil)
            }
        }
    }

    @Test("a client that is slow with its first request is let go")
    func headTimeout() async throws {
        try await ServerUnderTest.run(router, { $0.headTimeout = .milliseconds(20) }) { server in
            try await server.connect { client in
                let rest = try await client.rest()
                #expect(rest.isEmpty)
            }
        }
    }

    @Test("a client that sends nothing after a request is let go")
    func idleTimeout() async throws {
        try await ServerUnderTest.run(router, { $0.idleTimeout = .milliseconds(20) }) { server in
            try await server.connect { client in
                try await client.get()
                #expect(try await client.response()?.body == "here")
                #expect(try await client.response() == nil)
            }
        }
    }
}
