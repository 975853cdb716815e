import HTTPListener
import HTTPTesting
import Hummingbird
import Testing

@Suite("Clients that expect 100-continue", .timeLimit(.minutes(1)))
struct ExpectationTests {
    private let gate = Gate()

    private var router: Router<BasicRequestContext> {
        let router = Router()
        router.get("/") { _, _ in "here" }
        router.get("/gated") { [gate] _, _ in
            try await gate.pass()
            return "done"
        }
        router.post("/upload") { request, _ in
            "\(try await request.body.collect(upTo: 1 << 20).readableBytes)"
        }
        return router
    }

    private func head(_ fields: String, _ version: String = "1.1") -> String {
        "POST /upload HTTP/\(version)\r\nHost: test\r\nExpect: 100-Continue\r\n\(fields)\r\n\r\n"
    }

    @Test(
        "they are told to go on",
        arguments: [("Content-Length: 4", "body"), ("Transfer-Encoding: chunked", "4\r\nbody\r\n0\r\n\r\n")],
        [false, true]
    )
    func told(upload: (length: String, body: String), secure: Bool) async throws {
        try await ServerUnderTest.run(router, secure: secure) { server in
            try await server.connect { client in
                for _ in 0..<2 {
                    try await client.send(head(upload.length))
                    let interim = try #require(try await client.response())
                    #expect(interim.statusLine == "HTTP/1.1 100 Continue")
                    #expect(interim.fields.isEmpty)
                    try await client.send(upload.body)
                    let reply = try #require(try await client.response())
                    #expect(reply.statusLine == "HTTP/1.1 200 OK")
                    #expect(reply.body == "4")
                }
            }
        }
    }

    @Test(
        "where there is no body to wait for, and in HTTP/1.0, the response is all there is",
        arguments: [("Content-Length: 0", "1.1"), ("X: y", "1.1"), ("Content-Length: 4", "1.0")]
    )
    func untold(fields: String, version: String) async throws {
        try await ServerUnderTest.run(router) { server in
            try await server.connect { client in
                try await client.send(head(fields, version) + (version == "1.0" ? "body" : ""))
                #expect(try await client.response()?.statusLine.hasSuffix("200 OK") == true)
            }
        }
    }

    @Test("nothing comes in between while another response is due")
    func behind() async throws {
        try await ServerUnderTest.run(router) { server in
            try await server.connect { client in
                let first = "GET /gated HTTP/1.1\r\nHost: test\r\n\r\n"
                try await client.send(first + head("Content-Length: 4") + "body")
                await gate.arrived()
                gate.open()
                #expect(try await client.response()?.body == "done")
                #expect(try await client.response()?.body == "4")
            }
        }
    }

    @Test("a request that is refused is refused at once")
    func refused() async throws {
        try await ServerUnderTest.run(router) { server in
            try await server.connect { client in
                try await client.send("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
                #expect(try await client.response()?.statusLine == "HTTP/1.1 400 Bad Request")
                #expect(try await client.response() == nil)
            }
        }
    }
}
