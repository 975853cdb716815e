import Supervision
import SupervisionTesting
import Testing

/// The description of what `body` throws.
func failure(of body: () async throws -> Void) async -> String? {
    do {
        try await body()
        return nil
    } catch {
        return "\(error)"
    }
}

@Suite("Story", .timeLimit(.minutes(1)))
struct StoryTests {
    private func trial() -> SupervisorTrial {
        SupervisorTrial(
            Supervisor {
                Probe("cache")
                Supervisor("web") {
                    Probe("http")
                    Probe("pages")
                }
                Probe("feed")
            }
        )
    }

    private func story() async throws -> Story {
        let trial = trial()
        try await trial.started()
        #expect(await trial.stop() == nil)
        return trial.story
    }

    @Test("what holds is silent")
    func holds() async throws {
        let story = try await story()
        try story.expect(.stop(of: "feed"), before: .stop(of: "cache"))
        try story.expect(.start(of: "feed"), after: .start(of: "cache"))
        try story.expect(.start(of: "cache"), times: 1)
        try story.expect(.failure(of: "cache"), times: 0)
        try story.expect(startOrder: "cache", "web", "feed")
        try story.expect(stopOrder: "feed", "web", "cache")
        try story.expect(stopOrder: "web/pages", "web/http")
        try story.expect(statuses: [])
    }

    @Test("a wrong order says which, where, and what happened instead")
    func wrongOrder() async throws {
        let story = try await story()
        let message = try #require(
            await failure { try story.expect(.stop(of: "cache"), before: .stop(of: "feed")) }
        )
        #expect(message.hasPrefix("SupervisionTestingTests/StoryTests.swift:"))
        #expect(
            message.contains(
                "the stop of cache was to come before the stop of feed, but was over only after that had begun"
            )
        )
        #expect(message.contains("\n→ 16. feed stopping\n  17. feed stopped\n"))
        #expect(message.hasSuffix("\n→ 27. cache stopped\n  28. supervisor stopped"))
    }

    @Test("what one entry tells came at once, and is no order either way")
    func atOnce() async throws {
        let feed = Probe("feed")
        let trial = SupervisorTrial(Supervisor { feed })
        try await trial.started()
        feed.fail()
        try await trial.story.wait(for: .start(of: "feed"), count: 2)
        await trial.stop()
        for (first, second) in [
            (Moment.failure(of: "feed"), Moment.end(of: "feed")), (.end(of: "feed"), .failure(of: "feed")),
        ] {
            #expect(
                await failure { try trial.story.expect(first, before: second) }?
                    .contains("the \(second), but both came at once") == true
            )
        }
    }

    @Test("a start that a stop has ended is over when the next begins")
    func startStopped() async throws {
        let (cache, feed) = (Probe("cache"), Probe("feed"))
        let trial = SupervisorTrial(
            Supervisor(strategy: .oneForAll) {
                cache
                feed
            }
        )
        try await trial.started()
        feed.nextStart(.whenTold)
        cache.fail()
        await feed.wait(for: .begun, count: 2)
        feed.nextStart(.atOnce)
        cache.fail()
        try await trial.story.wait(for: .start(of: "feed"), count: 2)
        await trial.stop()
        try trial.story.expect(startOrder: "cache", "feed", "cache", "feed", "cache", "feed")
    }

    @Test("what did not come at all is no order")
    func missing() async throws {
        let story = try await story()
        #expect(
            await failure { try story.expect(.stop(of: "cache"), before: .stop(of: "database")) }?
                .contains("but the stop of database did not come at all") == true
        )
        #expect(
            await failure { try story.expect(.restart(of: "cache"), times: 2) }?
                .contains("the restart of cache was to come 2 times, and came never") == true
        )
        #expect(
            await failure { try story.expect(statuses: ["draining"]) }?
                .contains("the statuses were to be draining, and were none") == true
        )
    }

    @Test("an order is the order of all of them")
    func orders() async throws {
        let story = try await story()
        for children in [["feed", "cache"], ["web", "feed", "cache"]] as [[ChildPath]] {
            let message = await failure { try story.expect(stopOrder: children[0], children[1]) }
            #expect(message?.contains("and was feed, web, cache") == true)
        }
        #expect(
            await failure { try story.expect(startOrder: "feed", "web", "cache") }?
                .contains("the order of the starts was to be feed, web, cache, and was cache, web, feed")
                == true
        )
    }

    @Test("one that begins before the other is over is in no order")
    func overlapping() async throws {
        let workers = DynamicSupervisor("workers") { (child: ChildContext, _: Int) in
            child.started()
            await child.shutdownRequested()
        }
        let trial = SupervisorTrial(Supervisor { workers })
        try await trial.started()
        for number in 0..<2 { _ = try await workers.startChild(number) }
        await trial.stop()
        let message = await failure { try trial.story.expect(stopOrder: "workers/0", "workers/1") }
        #expect(message?.contains("before that of workers/0 was over") == true)
    }

    @Test("a wait for what does not come ends with the run, and tells the story")
    func waitInVain() async throws {
        let trial = trial()
        async let message = failure { try await trial.story.wait(for: .failure(of: "cache")) }
        try await trial.started()
        await trial.stop()
        #expect(await message?.contains("the failure of cache did not come. What happened:\n") == true)
        #expect(
            await failure { try await trial.story.wait(for: .start(of: "feed"), count: 2) }?
                .contains("the start of feed did not come for the 2. time") == true
        )
    }

    @Test("a wait ends with the task that waits")
    func cancelled() async throws {
        let trial = trial()
        try await trial.started()
        let waiting = Task { await failure { try await trial.story.wait(for: .failure(of: "cache")) } }
        waiting.cancel()
        #expect(await waiting.value?.contains("the failure of cache did not come") == true)
        await trial.stop()
    }

    @Test("the words of an entry are a moment")
    func words() async throws {
        let story = try await story()
        try story.expect("supervisor started", before: "supervisor stopping: requested")
        #expect(await failure { try story.expect("supervisor exploded", times: 1) } != nil)
    }

    @Test("a text with values in it is a moment too, and so is one that is computed")
    func computedWords() async throws {
        let story = try await story()
        for child in ["cache", "feed"] {
            try story.expect("\(child) starting", before: .line(child + " started"))
        }
        #expect(
            await failure { try story.expect(.line("cache exploded"), times: 1) }?
                .contains("the line \"cache exploded\" was to come once, and came never") == true
        )
    }

    @Test("the lines from a moment on begin where it begins, the first time")
    func linesFrom() async throws {
        let story = try await story()
        #expect(
            story.lines(from: .stop(of: "cache")) == [
                "cache stopping", "cache stopped", "supervisor stopped",
            ]
        )
        #expect(story.lines(from: .start(of: "cache")).count == story.lines.count - 1)
        #expect(story.lines(from: .failure(of: "cache")) == [])
    }
}
