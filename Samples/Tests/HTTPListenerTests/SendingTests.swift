import DaemonKit
import HTTPTesting
import Hummingbird
import NIOCore
import Testing

@testable import HTTPListener

@Suite("HTTP/1 responses that are written and not yet sent", .timeLimit(.minutes(1)))
struct SendingTests {
    private var router: Router<BasicRequestContext> {
        let router = Router()
        router.get("/") { _, _ in "here" }
        router.get("/large") { _, _ in String(repeating: "x", count: 20_000_000) }
        return router
    }

    /// Asks for more than the kernel takes, and returns when all of it is written: head and body are one writing.
    private func beginTaking(_ client: Client) async throws {
        try await client.get("/large")
        var head: [UInt8] = []
        while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            head += try #require(try await client.read(1))
        }
    }

    private func takeRest(_ client: Client) async throws {
        let body = try await client.read(20_000_000)
        #expect(body != nil)
    }

    @Test(
        "a drain closes when the client has been sent all",
        arguments: [(false, false), (false, true), (true, false)]
    )
    func drain(secure: Bool, halfClosed: Bool) async throws {
        // Else TLS's own end would be waited for with all that is not sent.
        try await ServerUnderTest.run(router, secure: secure, { $0.lingerTimeout = .zero }) { server in
            try await server.connect { client in
                try await beginTaking(client)
                if halfClosed { try await client.closeOutput() }
                try await server.outlastIdle { try await server.drain() }
                try await takeRest(client)
                await client.waitForEnd()
            }
            await server.waitUntilEnded()
        }
    }

    @Test("a client that takes longer than it may be idle is served", arguments: [false, true])
    func idle(secure: Bool) async throws {
        try await ServerUnderTest.run(
            router,
            secure: secure,
            {
                $0.idleTimeout = .milliseconds(20)
                $0.lingerTimeout = .zero
            }
        ) { server in
            try await server.connect { client in
                try await beginTaking(client)
                try await server.outlastIdle()
                try await takeRest(client)
                await client.waitForEnd()
            }
        }
    }

    // MARK: Decisions

    /// One response is written, at second 0.
    private func lifecycle(isReadingRequest: Bool = false) -> HTTP1Lifecycle {
        var times = HTTPConfiguration()
        times.writeTimeout = .seconds(10)
        var lifecycle = HTTP1Lifecycle(times)
        lifecycle.connected(now: second(0))
        _ = lifecycle.requestHead(keepAlive: true, hosts: 1, isVersion10: false, now: second(0))
        if !isReadingRequest { _ = lifecycle.requestEnd(now: second(0)) }
        lifecycle.readComplete(now: second(0))
        _ = lifecycle.responseHead(keepAlive: true)
        let isLast = lifecycle.responseEnd(now: second(0))
        #expect(!isLast)
        return lifecycle
    }

    private func second(_ number: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(number) }

    @Test("the client's turn begins with the sending")
    func turn() {
        var lifecycle = lifecycle()
        #expect(lifecycle.deadline == second(10), "to take something")
        let isOver = lifecycle.responseSent(now: second(7))
        #expect(!isOver)
        #expect(lifecycle.deadline == second(67))
    }

    @Test("one that takes something in each period is served, one that does not is let go")
    func slow() {
        var lifecycle = lifecycle()
        for (round, unsent) in [1000, 999].enumerated() {
            let isOver = lifecycle.deadlinePassed(unsent: unsent, now: second(10 + 10 * Int64(round)))
            #expect(!isOver)
        }
        #expect(lifecycle.deadline == second(30))
        let isOver = lifecycle.deadlinePassed(unsent: 999, now: second(30))
        #expect(isOver)
    }

    @Test("what is written meanwhile does not count against the client")
    func writtenMeanwhile() {
        var lifecycle = lifecycle()
        _ = lifecycle.deadlinePassed(unsent: 10, now: second(10))
        _ = lifecycle.requestHead(keepAlive: true, hosts: 1, isVersion10: false, now: second(15))
        _ = lifecycle.requestEnd(now: second(15))
        _ = lifecycle.responseHead(keepAlive: true)
        #expect(lifecycle.deadline == second(20), "nor for it")
        var isOver = lifecycle.deadlinePassed(unsent: 500, now: second(20))
        #expect(!isOver)
        lifecycle.responsePart()
        isOver = lifecycle.deadlinePassed(unsent: 700, now: second(30))
        #expect(!isOver)
        isOver = lifecycle.deadlinePassed(unsent: 700, now: second(40))
        #expect(isOver)
    }

    @Test("less than the channel takes is timed as well")
    func writable() {
        var lifecycle = lifecycle()
        lifecycle.writabilityChanged(false, now: second(1))
        lifecycle.writabilityChanged(true, now: second(5))
        #expect(lifecycle.deadline == second(15))
    }

    @Test("the grace of a drain begins with the sending", arguments: [false, true])
    func grace(hasBegun: Bool) {
        var lifecycle = lifecycle()
        if hasBegun { lifecycle.readComplete(now: second(1)) }
        lifecycle.drain(now: second(5))
        #expect(lifecycle.deadline == second(10))
        _ = lifecycle.responseSent(now: second(8))
        #expect(lifecycle.deadline == second(8) + .milliseconds(hasBegun ? 500 : 20))
    }

    @Test("of several, each that is sent shows that the client takes something")
    func several() {
        var lifecycle = lifecycle()
        _ = lifecycle.requestHead(keepAlive: true, hosts: 1, isVersion10: false, now: second(1))
        _ = lifecycle.requestEnd(now: second(1))
        _ = lifecycle.responseHead(keepAlive: true)
        _ = lifecycle.responseEnd(now: second(1))
        #expect(lifecycle.deadline == second(10))
        _ = lifecycle.responseSent(now: second(4))
        #expect(lifecycle.deadline == second(14))
        _ = lifecycle.responseSent(now: second(5))
        #expect(lifecycle.deadline == second(65))
    }

    @Test("a next one that is written in part has its own time")
    func inPart() {
        var lifecycle = lifecycle()
        _ = lifecycle.requestHead(keepAlive: true, hosts: 1, isVersion10: false, now: second(1))
        _ = lifecycle.requestEnd(now: second(1))
        lifecycle.writabilityChanged(false, now: second(2))
        _ = lifecycle.responseSent(now: second(4))
        #expect(lifecycle.deadline == second(14))
        lifecycle.writabilityChanged(true, now: second(5))
        #expect(lifecycle.deadline == nil, "how long a route takes is its own business")
    }

    @Test("one that is early leaves the client its time for the rest of its request")
    func early() {
        var lifecycle = lifecycle(isReadingRequest: true)
        _ = lifecycle.requestBody(now: second(3))
        #expect(lifecycle.deadline == second(10))
        _ = lifecycle.responseSent(now: second(5))
        #expect(lifecycle.deadline == second(65))
        _ = lifecycle.requestEnd(now: second(6))
        #expect(lifecycle.deadline == second(66))
    }

    @Test("with a refusal behind it, the sending ends when both are sent")
    func refused() {
        var lifecycle = lifecycle()
        let intake = lifecycle.requestHead(keepAlive: true, hosts: 0, isVersion10: false, now: second(1))
        #expect(intake == .refuse(.hosts(0)))
        _ = lifecycle.responseHead(keepAlive: true)
        let isLast = lifecycle.responseEnd(now: second(2))
        #expect(isLast)
        #expect(lifecycle.deadline == second(12))
        var isOver = lifecycle.responseSent(now: second(3))
        #expect(!isOver)
        isOver = lifecycle.responseSent(now: second(4))
        #expect(isOver)
    }

    @Test("where nothing more will be written, the sending ends when it is sent", arguments: [false, true])
    func ends(isSent: Bool) {
        var lifecycle = lifecycle()
        if isSent { _ = lifecycle.responseSent(now: second(1)) }
        lifecycle.inputClosed()
        let waits = lifecycle.outputEnds(now: second(2))
        #expect(waits == !isSent)
        guard waits else { return }
        #expect(lifecycle.deadline == second(12))
        let isOver = lifecycle.responseSent(now: second(3))
        #expect(isOver)
    }
}
