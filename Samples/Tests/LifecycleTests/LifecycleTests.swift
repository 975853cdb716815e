import Logging
import ServiceLifecycle
import Supervision
import SupervisionTesting
import Testing

@Suite("A service as a child")
struct ServiceAsChildTests {
    @Test("it is asked for its graceful stop, finishes what it has, and is not cancelled")
    func graceful() async throws {
        let diary = Recorder<String>()
        let trial = SupervisorTrial(
            Supervisor {
                Services { [Worker(diary)] }
            }
        )
        await diary.wait(for: "begun")
        #expect(await trial.stop() == nil)
        #expect(diary.all == ["begun", "asked", "finished"])
        try trial.story.expect(.cancellation(of: "services"), times: 0)
        try await trial.expectNothingLeft()
    }

    @Test("one that does not finish is cancelled when its time is up")
    func overdue() async throws {
        let diary = Recorder<String>()
        let trial = SupervisorTrial(
            Supervisor {
                Services(shutdown: .graceful(.seconds(10))) { [Worker(diary, finishes: false)] }
            }
        )
        await diary.wait(for: "begun")
        trial.supervisor.stop()
        await diary.wait(for: "asked")
        trial.clock.advance(by: .seconds(10))
        #expect(await trial.end() == nil)
        #expect(diary.all == ["begun", "asked", "cancelled"])
        try trial.story.expect("services cancelled, has not stopped in 10.0 seconds", times: 1)
    }

    @Test("one that fails is started again, with a group of its own")
    func restart() async throws {
        let diary = Recorder<String>()
        let trial = SupervisorTrial(
            Supervisor {
                Services { [Worker(diary, failsAtFirst: true)] }
            }
        )
        await diary.wait(for: "begun", count: 2)
        #expect(await trial.stop() == nil)
        #expect(diary.all == ["begun", "begun", "asked", "finished"])
    }
}

@Suite("A tree as a service")
struct TreeAsServiceTests {
    private func group(_ supervisor: Supervisor, _ others: any Service...) -> ServiceGroup {
        ServiceGroup(
            services: [SupervisorService(supervisor: supervisor)] + others,
            logger: Logger(label: "group")
        )
    }

    @Test("the group's graceful shutdown stops the children from the last to the first")
    func graceful() async throws {
        let (first, second) = (Probe("first"), Probe("second"))
        let supervisor = Supervisor {
            first
            second
        }
        let story = Story(of: supervisor)
        let group = group(supervisor)
        async let run: Void = group.run()
        await second.wait(for: .started)
        await group.triggerGracefulShutdown()
        try await run
        try story.expect(stopOrder: "second", "first")
    }

    @Test("the order holds also when the group is cancelled")
    func cancelled() async throws {
        let (first, second) = (Probe("first"), Probe("second"))
        let supervisor = Supervisor {
            first
            second
        }
        let story = Story(of: supervisor)
        let group = group(supervisor)
        let run = Task { try await group.run() }
        await second.wait(for: .started)
        run.cancel()
        _ = await run.result
        try story.expect(stopOrder: "second", "first")
    }

    @Test("a tree that gives up ends the group with its error")
    func givesUp() async throws {
        let child = Probe("child")
        let supervisor = Supervisor(intensity: .init(maxRestarts: 0, within: .seconds(1))) { child }
        let group = group(supervisor)
        let run = Task { try await group.run() }
        await child.wait(for: .started)
        child.fail(Broken())
        await #expect { try await run.value } throws: { error in
            (error as? SupervisorError)?.code == .gaveUp && (error as? SupervisorError)?.path == ["child"]
        }
    }
}

private struct Broken: Error {}

/// A service that notes what happens to it.
private struct Worker: Service {
    let diary: Recorder<String>
    let finishes: Bool
    let failsAtFirst: Bool

    init(_ diary: Recorder<String>, finishes: Bool = true, failsAtFirst: Bool = false) {
        self.diary = diary
        self.finishes = finishes
        self.failsAtFirst = failsAtFirst
    }

    func run() async throws {
        diary.add("begun")
        if failsAtFirst, diary.all.count == 1 { throw Broken() }
        try? await gracefulShutdown()
        diary.add("asked")
        guard !finishes else { return diary.add("finished") }
        for await _ in AsyncStream<Never>.makeStream().stream {}
        diary.add("cancelled")
        throw CancellationError()
    }
}
