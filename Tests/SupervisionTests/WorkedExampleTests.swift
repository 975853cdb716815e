import Supervision
import SupervisionLock
import SupervisionTesting
import Testing

/// The tree of the guide "Choosing a strategy", with probes where it has work to do.
private final class Example: Sendable {
    let pool = ChildReference<Int>()
    let cache = Probe("cache")
    let feed = Probe("feed")
    let trial: SupervisorTrial

    private let database: Database

    /// What the pool is connected to.
    private final class Database: Sendable {
        struct State {
            var isAway = false
            var connections = 0
            var migrations = 0
            var link: AsyncStream<InjectedFailure>.Continuation?
        }

        let state = Locked(State())

        func pool(_ child: PublishingContext<Int>) async throws {
            let (failures, link) = AsyncStream<InjectedFailure>.makeStream()
            let number = try state.withLock { state in
                if state.isAway { throw InjectedFailure("away") }
                state.connections += 1
                state.link = link
                return state.connections
            }
            child.started(number)
            for await failure in failures { throw failure }
        }
    }

    init() {
        let database = Database()
        self.database = database
        trial = SupervisorTrial(
            Supervisor { [pool, cache, feed] in
                Supervisor("storage", strategy: .restForOne) {
                    ChildSpec("pool", publishing: pool) { child in try await database.pool(child) }
                        .backoff(.exponential(from: .milliseconds(100), to: .seconds(30), jitter: 0))
                    ChildSpec("schema") { _ in
                        _ = try await pool.value
                        database.state.withLock { $0.migrations += 1 }
                    }
                    cache
                }
                .backoff(.exponential(from: .milliseconds(100), to: .seconds(30), jitter: 0))
                feed
                    .backoff(.exponential(from: .seconds(1), to: .seconds(60), jitter: 0))
                    .limit(maxRestarts: 20, within: .seconds(3600))
                Probe("http")
            }
        )
    }

    var migrations: Int { database.state.withLock(\.migrations) }

    func loseConnection() {
        database.state.withLock { state in
            state.isAway = true
            state.link?.yield(InjectedFailure("connection lost"))
        }
    }

    func bringBack() {
        database.state.withLock { $0.isAway = false }
    }

    func stop() async {
        #expect(await trial.stop() == nil)
    }
}

@Suite("The worked example of the guide")
struct WorkedExampleTests {
    @Test("a lost connection stays in its branch, however long it takes, and readers wait for it")
    func lostConnection() async throws {
        let example = Example()
        let story = example.trial.story
        try await example.trial.started()
        #expect(try await example.pool.value == 1)

        example.loseConnection()
        try await story.wait(for: .stop(of: "storage/cache"))
        let reader = Task { try await example.pool.value }
        for (attempt, delay) in ["0.1", "0.2", "0.4", "0.8", "1.6"].enumerated() {
            let times = attempt == 0 ? "1 time" : "\(attempt + 1) times"
            try await story.wait(for: "storage/pool restarting in \(delay) seconds, \(times) so far")
            example.trial.clock.advance(by: .milliseconds(100 << attempt))
        }
        try await story.wait(for: "storage/pool restarting in 3.2 seconds, 6 times so far")
        example.bringBack()
        example.trial.clock.advance(by: .milliseconds(3200))
        await example.cache.wait(for: .started, count: 2)

        #expect(try await reader.value == 2)
        #expect(example.migrations == 2)
        #expect(!story.lines.contains { $0.hasPrefix("http stop") || $0.hasPrefix("feed stop") })
        await example.stop()
        #expect(
            story.lines.filter { $0.hasSuffix(" stopped") }.suffix(7)
                == [
                    "http stopped", "feed stopped", "storage/cache stopped", "storage/pool stopped",
                    "supervisor storage stopped", "storage stopped", "supervisor stopped",
                ]
        )
    }

    @Test("a cache that goes on crashing has the whole branch started again, after a pause")
    func crashingCache() async throws {
        let example = Example()
        let story = example.trial.story
        try await example.trial.started()
        for count in 1...4 {
            await example.cache.wait(for: .started, count: count)
            example.cache.fail()
        }
        try await story.wait(for: "storage restarting in 0.1 seconds, 1 time so far")
        try story.expect("storage/pool stopped", times: 1)
        example.trial.clock.advance(by: .milliseconds(100))
        await example.cache.wait(for: .started, count: 5)
        #expect(try await example.pool.value == 2)
        try story.expect("http stopping", times: 0)
        await example.stop()
    }

    @Test("a feed is given up after twenty restarts, the others go on, and a call brings it back")
    func lostFeed() async throws {
        let example = Example()
        let story = example.trial.story
        try await example.trial.started()
        for count in 1...20 {
            await example.feed.wait(for: .started, count: count)
            example.feed.fail(InjectedFailure("no route"))
            try await story.wait(for: .restart(of: "feed"), count: count)
            example.trial.clock.advance(by: .seconds(60))
        }
        await example.feed.wait(for: .started, count: 21)
        example.feed.fail(InjectedFailure("no route"))
        try await story.wait(for: "feed given up, not started again: no route")
        #expect(try await example.trial.supervisor.whichChild("http").state == .running)
        #expect(try await example.trial.supervisor.restartChild("feed") == .started)
        await example.stop()
    }
}
