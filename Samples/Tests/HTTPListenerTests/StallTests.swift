import DaemonKit
import HTTPTesting
import Hummingbird
import NIOCore
import Testing

@testable import HTTPListener

@Suite("Clients that do not take their response", .timeLimit(.minutes(1)))
struct StallTests {
    private let gate = Gate()

    private var router: Router<BasicRequestContext> {
        let router = Router()
        router.get("/large") { [gate] _, _ in
            try await gate.pass()
            return String(repeating: "x", count: 20_000_000)
        }
        return router
    }

    @Test("one that takes nothing is let go, without a drain too", arguments: [false, true], [false, true])
    func takesNothing(secure: Bool, draining: Bool) async throws {
        try await ServerUnderTest.run(
            router,
            secure: secure,
            {
                $0.writeTimeout = .milliseconds(20)
                $0.lingerTimeout = .milliseconds(20)
            }
        ) { server in
            try await server.connect { client in
                try await client.get("/large")
                await gate.arrived()
                try await client.stopReading()
                if draining { try await server.drain() }
                gate.open()
                if !draining { await gate.left() }
                server.beginDrain()
                await server.waitUntilEnded()
            }
        }
    }

    private var times: HTTPConfiguration {
        var times = HTTPConfiguration()
        times.writeTimeout = .seconds(10)
        return times
    }

    private func second(_ number: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(number) }

    @Test("one that takes something in each period is served, however slow it is")
    func slow() {
        var lifecycle = HTTP1Lifecycle(times)
        lifecycle.connected(now: second(0))
        _ = lifecycle.requestHead(keepAlive: true, hosts: 1, isVersion10: false, now: second(0))
        _ = lifecycle.requestEnd(now: second(0))
        #expect(lifecycle.deadline == nil, "how long a route takes is its own business")
        lifecycle.writabilityChanged(false, now: second(5))
        for (round, unsent) in [1000, 999, 500].enumerated() {
            let now = second(15 + 10 * Int64(round))
            #expect(lifecycle.deadline == now)
            let isOver = lifecycle.deadlinePassed(unsent: unsent, now: now)
            #expect(!isOver)
        }
        let isOver = lifecycle.deadlinePassed(unsent: 500, now: second(45))
        #expect(isOver)
    }

    @Test("one that takes it all has no deadline any more until it is its turn")
    func takesAll() {
        var lifecycle = HTTP1Lifecycle(times)
        lifecycle.connected(now: second(0))
        _ = lifecycle.requestHead(keepAlive: true, hosts: 1, isVersion10: false, now: second(0))
        _ = lifecycle.requestEnd(now: second(0))
        lifecycle.writabilityChanged(false, now: second(5))
        lifecycle.writabilityChanged(true, now: second(6))
        #expect(lifecycle.deadline == nil)
        let isLast = lifecycle.responseEnd(now: second(7))
        #expect(!isLast)
        _ = lifecycle.responseSent(now: second(7))
        #expect(lifecycle.deadline == second(67))
    }

    @Test("the last response has the time too")
    func lastResponse() {
        var lifecycle = HTTP1Lifecycle(times)
        lifecycle.connected(now: second(0))
        _ = lifecycle.requestHead(keepAlive: false, hosts: 1, isVersion10: false, now: second(0))
        _ = lifecycle.requestEnd(now: second(0))
        let isLast = lifecycle.responseEnd(now: second(7))
        #expect(isLast)
        #expect(lifecycle.deadline == second(17))
        lifecycle.outputClosed(now: second(8))
        #expect(lifecycle.deadline == second(9), "lingering")
    }

    @Test(
        "in a drain, one that has begun with its request has longer than one that has not",
        arguments: [false, true]
    )
    func begun(hasBegun: Bool) {
        var lifecycle = HTTP1Lifecycle(times)
        lifecycle.connected(now: second(0))
        _ = lifecycle.requestHead(keepAlive: true, hosts: 1, isVersion10: false, now: second(0))
        _ = lifecycle.requestEnd(now: second(0))
        lifecycle.readComplete(now: second(0))
        _ = lifecycle.responseHead(keepAlive: true)
        _ = lifecycle.responseEnd(now: second(0))
        _ = lifecycle.responseSent(now: second(0))
        if hasBegun { lifecycle.readComplete(now: second(1)) }
        lifecycle.drain(now: second(2))
        #expect(lifecycle.deadline == second(2) + .milliseconds(hasBegun ? 500 : 20))
        lifecycle.readComplete(now: second(2))
        #expect(lifecycle.deadline == second(2) + .milliseconds(500))
    }
}
