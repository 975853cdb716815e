import Supervision
import SupervisionLock
import SupervisionTesting
import Testing

/// The two shapes that references are for, as one would write them.
@Suite("References: the classic shapes")
struct ReferenceExampleTests {
    /// A pool that can be lost, as one to a database can.
    private final class Pool: Sendable {
        struct ConnectionLost: Error {}

        let number: Int
        private let isLost = Locked(false)
        private let losses = AsyncStream.makeStream(of: Void.self)

        init(number: Int) { self.number = number }

        func query(_ text: String) throws -> String {
            if isLost.withLock(\.self) { throw ConnectionLost() }
            return "\(text) by pool \(number)"
        }

        func lose() {
            isLost.withLock { $0 = true }
            losses.continuation.yield()
        }

        /// Runs until the connection is lost.
        func run() async throws {
            for await _ in losses.stream { throw ConnectionLost() }
            try Task.checkCancellation()
        }
    }

    @Test("a database pool that handlers use across its restarts")
    func databasePool() async throws {
        let database = ChildReference<Pool>()
        let requests = AsyncStream.makeStream(of: String.self)
        let answers = AsyncStream.makeStream(of: String.self)
        let pools = Locked(0)

        let supervisor = Supervisor {
            ChildSpec("database", publishing: database) { child in
                let pool = Pool(
                    number: pools.withLock {
                        $0 += 1; return $0
                    }
                )
                child.started(pool)
                try await pool.run()
            }
            ChildSpec("handler") {
                for await request in requests.stream {
                    // Asked for at each use: it is that of the copy which runs now.
                    let pool = try await database.value
                    answers.continuation.yield(try pool.query(request))
                }
            }
        }

        let trial = SupervisorTrial(supervisor)
        try await trial.started()
        var answer = answers.stream.makeAsyncIterator()
        requests.continuation.yield("first")
        #expect(await answer.next() == "first by pool 1")

        try await database.value.lose()
        try await trial.story.wait(for: "database restarting, 1 time so far")
        requests.continuation.yield("second")
        #expect(await answer.next() == "second by pool 2")
        #expect(try await supervisor.whichChild("handler").restarts == 0, "it noticed nothing")
        #expect(await trial.stop() == nil)
    }

    @Test("rest for one: what was built on a child is built again on its next copy")
    func restForOne() async throws {
        let database = ChildReference<Pool>()
        let cache = ChildReference<String>()
        let pools = Locked(0)

        let supervisor = Supervisor(strategy: .restForOne) {
            ChildSpec("database", publishing: database) { child in
                let pool = Pool(
                    number: pools.withLock {
                        $0 += 1; return $0
                    }
                )
                child.started(pool)
                try await pool.run()
            }
            ChildSpec("cache", publishing: cache) { child in
                // Kept as long as the child lives: it never outlives the pool it came from.
                let pool = try await database.value
                child.started(try pool.query("warm"))
                await child.shutdownRequested()
            }
        }

        let trial = SupervisorTrial(supervisor)
        try await trial.started()
        #expect(try await cache.value == "warm by pool 1")
        try await database.value.lose()
        try await trial.story.wait(for: .start(of: "cache"), count: 2)
        #expect(try await cache.value == "warm by pool 2")
        #expect(await trial.stop() == nil)
        #expect(
            trial.story.lines(from: "database restarting, 1 time so far").prefix(7) == [
                "database restarting, 1 time so far", "cache stopping", "cache stopped",
                "database starting", "database started", "cache starting", "cache started",
            ]
        )
    }
}
