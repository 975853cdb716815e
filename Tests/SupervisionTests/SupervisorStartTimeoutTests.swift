import Supervision
import SupervisionLock
import SupervisionTesting
import Testing

@Suite("Supervisor: a child that is slow to start", .timeLimit(.minutes(1)))
struct SupervisorStartTimeoutTests {
    private let clock = TestClock()

    /// A tree of a child above, and one that may take 30 s to start.
    private func trial(
        _ slow: some Child,
        strategy: Strategy = .oneForOne,
        above: Probe = Probe("above")
    ) -> SupervisorTrial {
        SupervisorTrial(
            Supervisor(strategy: strategy) {
                above
                slow.startTimeout(.seconds(30))
            },
            clock: clock
        )
    }

    /// Lets some of the time of a limit pass, once it has begun to count; all of it by default.
    private func pass(_ time: Duration, of limit: Duration? = nil) async {
        await clock.sleeper(dueIn: limit ?? time)
        clock.advance(by: time)
    }

    @Test("a start within the limit leaves no timer behind")
    func inTime() async throws {
        let slow = Probe("slow", start: .whenTold)
        let trial = trial(slow)
        await slow.wait(for: .begun)
        await pass(.seconds(30) - .nanoseconds(1), of: .seconds(30))
        slow.start()
        try await trial.started()
        clock.advance(by: .seconds(1))
        #expect(!slow.facts.contains(.cancelled))
        #expect(await trial.stop() == nil)
        #expect(clock.sleeperCount == 0)
    }

    @Test("the first time it ends the start of the tree, and the error says why")
    func firstStart() async {
        let slow = Probe("slow", start: .whenTold)
        let trial = trial(slow)
        await slow.wait(for: .begun)
        await pass(.seconds(30))
        let error = await trial.end()
        #expect(error?.code == .childFailedToStart)
        #expect(
            error.map { "\($0)" } == "child \"slow\" failed to start: had not started after 30.0 seconds"
        )
        #expect(!slow.facts.contains(.stopRequested), "it was not told to stop, it was cancelled")
        #expect(trial.story.lines.suffix(3) == ["above stopping", "above stopped", "supervisor stopped"])
    }

    @Test("later it is a failure like any other, and the next start has the whole time again")
    func restart() async throws {
        let slow = Probe("slow")
        let trial = trial(slow)
        try await trial.started()
        slow.nextStart(.whenTold)
        slow.fail()
        await slow.wait(for: .begun, count: 2)
        await pass(.seconds(30))
        await slow.wait(for: .begun, count: 3)
        await pass(.seconds(29), of: .seconds(30))
        slow.start()
        await slow.wait(for: .started, count: 2)
        #expect(await trial.stop() == nil)
        #expect(
            trial.story.lines.contains(
                "slow failed: child \"slow\" failed to start: had not started after 30.0 seconds"
            )
        )
    }

    @Test("what it throws when it is cancelled is told too, and its rules are asked about it")
    func onFailure() async throws {
        let starts = Locked(0)
        let trial = trial(
            ChildSpec("slow") { child in
                let start = starts.withLock { starts in
                    starts += 1
                    return starts
                }
                guard start > 1 else {
                    child.started()
                    throw InjectedFailure()
                }
                await child.shutdownRequested()
                throw InjectedFailure("half a table")
            }
            .onFailure { error in "\(error)".contains("half a table") ? .giveUpChild : .restart }
        )
        try await trial.story.wait(forBeginOf: .start(of: "slow"), count: 2)
        await pass(.seconds(30))
        try await trial.story.wait(
            for: .line(
                "slow given up, not started again: child \"slow\" failed to start: "
                    + "had not started after 30.0 seconds: half a table"
            )
        )
        #expect(await trial.stop() == nil)
    }

    @Test("one that returns when it is cancelled has failed: it is not taken for one with nothing to run")
    func returns() async throws {
        let trial = trial(ChildSpec("slow") { child in await child.shutdownRequested() })
        try await trial.story.wait(forBeginOf: .start(of: "slow"))
        await pass(.seconds(30))
        #expect(await trial.end()?.code == .childFailedToStart)
        #expect(!trial.story.lines.contains { $0.contains("nothing to run") })
    }

    @Test("one that has not ended in the time of its shutdown either ends its supervisor, and is named")
    func stubborn() async {
        let slow = Probe("slow", shutdown: .timeout(.seconds(5)), start: .whenTold, ignoresStop: true)
        let trial = trial(slow)
        await slow.wait(for: .begun)
        await pass(.seconds(30))
        await slow.wait(for: .cancelled)
        await pass(.seconds(5))
        let error = await trial.end()
        #expect(error?.code == .childFailedToStart)
        #expect(error?.abandoned == [["slow"]])
        #expect(
            error.map { "\($0)" }
                == "child \"slow\" failed to start: had not started after 30.0 seconds: "
                + "still running after its time was up: \"slow\""
        )
        #expect(
            trial.story.lines.contains { $0.hasPrefix("supervisor stopping: slow has left something") }
        )
        slow.finish()
    }

    @Test("a stubborn one that ends after all, while the others are stopped, is not named as still running")
    func endsLate() async throws {
        let slow = Probe("slow", start: .whenTold, ignoresStop: true)
        let above = Probe("above", shutdown: .graceful(.seconds(60)), ignoresStop: true)
        let trial = trial(slow, above: above)
        await slow.wait(for: .begun)
        await pass(.seconds(30))
        await slow.wait(for: .cancelled)
        await pass(.seconds(5))
        await above.wait(for: .stopRequested)
        slow.finish()
        try await trial.story.wait(
            for: "slow stopped, but threw: child \"slow\" failed to start: had not started after 30.0 seconds"
        )
        above.finish()
        #expect(await trial.end()?.abandoned == [])
    }

    @Test("from a stop on, it is the stop's limit that counts")
    func stopped() async {
        let slow = Probe("slow", shutdown: .timeout(.seconds(60)), start: .whenTold, ignoresStop: true)
        let trial = trial(slow)
        await slow.wait(for: .begun)
        trial.supervisor.stop()
        await slow.wait(for: .cancelled)
        clock.advance(by: .seconds(59))
        #expect(trial.story.lines.last == "slow stopping")
        slow.finish()
        #expect(await trial.end() == nil)
    }

    @Test("a supervisor with a limit has it for the whole row, which is stopped in order")
    func nested() async {
        let last = Probe("last", start: .whenTold)
        let trial = trial(
            Supervisor("inner") {
                Probe("first"); last
            }
        )
        await last.wait(for: .begun)
        await pass(.seconds(30))
        let error = await trial.end()
        #expect(error?.path == ["inner"])
        #expect(
            trial.story.lines(from: "inner/last stopping").prefix(5) == [
                "inner/last stopping", "inner/last stopped", "inner/first stopping", "inner/first stopped",
                "supervisor inner stopped",
            ]
        )
    }

    @Test("what it publishes too late reaches nobody")
    func publishing() async throws {
        let publisher = PublishingProbe<Int>("slow")
        let trial = trial(publisher)
        try await trial.story.wait(forBeginOf: .start(of: "slow"))
        let waiting = Task { try await publisher.reference.value }
        await pass(.seconds(30))
        await trial.end()
        for copy in publisher.copies { copy.started(7) }
        await #expect(throws: SupervisorError.self) { try await waiting.value }
    }

    @Test("a child of a dynamic supervisor has it too: whoever starts it is told")
    func dynamic() async throws {
        let begun = Gate()
        let dynamic = DynamicSupervisor<Void>("jobs", startTimeout: .seconds(30)) { child, _ in
            begun.open()
            await child.shutdownRequested()
        }
        let trial = SupervisorTrial(Supervisor { dynamic }, clock: clock)
        try await trial.started()
        let start = Task { try await dynamic.startChild(()) }
        await begun.wait()
        await pass(.seconds(30))
        let error = await #expect(throws: SupervisorError.self) { try await start.value }
        #expect(error?.code == .childFailedToStart)
        #expect(error?.details == ["had not started after 30.0 seconds"])
        #expect(await trial.stop() == nil)
    }

    @Test("how long a start and a stop may take is told with their beginning")
    func limits() async throws {
        let trial = SupervisorTrial(
            Supervisor {
                Probe("a")
                Probe("b", shutdown: .graceful(.seconds(9))).startTimeout(.seconds(30))
                Supervisor("c") { Probe("d", shutdown: .infinity) }
            }
        )
        try await trial.started()
        #expect(await trial.stop() == nil)
        let limits = trial.story.events.compactMap { event in event.limit.map { "\(event): \($0)" } }
        #expect(
            limits == [
                "b starting: 39.0 seconds", "b stopping: 10.0 seconds", "a stopping: 5.0 seconds",
            ]
        )
    }

    @Test("a limit that is not above zero is refused", arguments: [Duration.zero, .seconds(-1)])
    func invalid(limit: Duration) async {
        let trial = SupervisorTrial(Supervisor { Probe("a").startTimeout(limit) })
        #expect(
            await trial.end()?.details == [
                "child \"a\" has a start timeout of \(limit): it must be above zero"
            ]
        )
    }
}
