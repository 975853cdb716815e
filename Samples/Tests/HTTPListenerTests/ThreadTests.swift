import HTTPTesting
import Hummingbird
import NIOCore
import NIOPosix
import Testing

@testable import HTTPListener

@Suite("The threads of an app, plain and over TLS", .timeLimit(.minutes(1)))
struct ThreadTests {
    private var router: Router<BasicRequestContext> {
        let router = Router()
        router.add(middleware: Witness())
        router.get("/route") { _, _ in whereabouts }
        router.get("/stream") { _, _ in
            Response(
                status: .ok,
                body: ResponseBody(contentLength: 22) { writer in
                    try await writer.write(ByteBuffer(string: whereabouts))
                    try await writer.write(ByteBuffer(string: ", \(whereabouts)"))
                    try await writer.finish(nil)
                }
            )
        }
        router.post("/upload") { request, _ in
            for try await _ in request.body where whereabouts != "on no loop" { return whereabouts }
            return whereabouts
        }
        router.get("/child") { _, _ in
            async let answer = whereaboutsOfATask()
            return await answer
        }
        return router
    }

    @Test("routes, their children and what they stream run on no event loop", arguments: [false, true])
    func routes(secure: Bool) async throws {
        try await ServerUnderTest.run(router, secure: secure) { server in
            try await server.connect { client in
                // First from its loop, later from elsewhere.
                for path in Array(repeating: ["/route", "/child"], count: 10).joined() {
                    try await client.get(path)
                    let reply = try #require(try await client.response())
                    #expect(reply.body == "on no loop")
                    #expect(reply.fields["server"] == "on no loop")
                }
                try await client.get("/stream")
                #expect(try #require(try await client.response()).body == "on no loop, on no loop")
            }
        }
    }

    @Test("a route that waits for its request's body goes on on no event loop", arguments: [false, true])
    func upload(secure: Bool) async throws {
        try await ServerUnderTest.run(router, secure: secure) { server in
            try await server.connect { client in
                try await client.send("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
                try await client.send("cd")
                #expect(try #require(try await client.response()).body == "on no loop")
            }
        }
    }

    @Test("the connections of a server are spread over the event loops")
    func spread() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let executors = ConnectionExecutors(group)
        var loops: Set<String> = []
        for _ in 0..<4 {
            loops.insert(await Task(executorPreference: executors.next()) { whereabouts }.value)
        }
        #expect(loops.count == 2)
        #expect(!loops.contains("on no loop"))
        try await group.shutdownGracefully()
    }
}

/// The thread that this runs on.
private var whereabouts: String {
    guard let loop = MultiThreadedEventLoopGroup.currentEventLoop else { return "on no loop" }
    return "on \(loop)"
}

private func whereaboutsOfATask() async -> String { whereabouts }

private struct Witness: RouterMiddleware {
    typealias Context = BasicRequestContext

    func handle(
        _ request: Request,
        context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        response.headers[.server] = whereabouts
        return response
    }
}
