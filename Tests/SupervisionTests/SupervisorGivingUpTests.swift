import Supervision
import SupervisionTesting
import Testing

@Suite("Supervisor: giving up")
struct SupervisorGivingUpTests {
    private let never = RestartIntensity(maxRestarts: 0, within: .seconds(1))

    @Test("a child over its own limit is given up, and its siblings go on", arguments: Strategy.allCases)
    func limit(strategy: Strategy) async throws {
        let (bad, other) = (Probe("bad"), Probe("other"))
        let trial = SupervisorTrial(
            Supervisor(strategy: strategy, intensity: never) {
                other
                bad.limit(maxRestarts: 2, within: .seconds(60))
            }
        )
        try await trial.started()
        for count in 1...3 {
            await bad.wait(for: .started, count: count)
            try await trial.story.wait(for: .start(of: "bad"), count: count)
            bad.fail(InjectedFailure("failure \(count)"))
        }
        try await trial.story.wait(for: "bad given up, not started again: failure 3")
        #expect(try await trial.children() == ["other running", "bad given up"])
        #expect(
            try await trial.supervisor.whichChild("bad").lastError as? InjectedFailure
                == InjectedFailure("failure 3")
        )
        #expect(await trial.stop() == nil)
    }

    @Test("restarts that have left the child's window do not count")
    func limitWindow() async throws {
        let bad = Probe("bad")
        let trial = SupervisorTrial(
            Supervisor(intensity: never) { bad.limit(maxRestarts: 1, within: .seconds(10)) }
        )
        try await trial.started()
        for count in 2...6 {
            bad.fail()
            await bad.wait(for: .started, count: count)
            trial.clock.advance(by: .seconds(10) + .milliseconds(1))
        }
        bad.fail()
        await bad.wait(for: .started, count: 7)
        trial.clock.advance(by: .seconds(10))
        bad.fail()
        try await trial.story.wait(for: "bad given up, not started again: failed by the test")
        #expect(await trial.stop() == nil)
    }

    @Test("a child that was given up has a new chance when it is restarted by hand")
    func newChance() async throws {
        let bad = Probe("bad")
        let trial = SupervisorTrial(Supervisor { bad.limit(maxRestarts: 0, within: .seconds(1)) })
        try await trial.started()
        bad.fail()
        try await trial.story.wait(for: "bad given up, not started again: failed by the test")
        #expect(try await trial.supervisor.restartChild("bad") == .started)
        #expect(try await trial.children() == ["bad running"])
        #expect(await trial.stop() == nil)
    }

    @Test("onFailure decides about each error: restart, give up the child, give up the supervisor")
    func onFailure() async throws {
        let probes = (Probe("a"), Probe("b"), Probe("c"))
        let respond = { @Sendable (error: any Error) -> FailureResponse in
            switch (error as? InjectedFailure)?.description {
            case "wrong password": .giveUpChild
            case "disk full": .giveUpSupervisor
            default: .restart
            }
        }
        let trial = SupervisorTrial(
            Supervisor {
                probes.0.onFailure(respond)
                probes.1.onFailure(respond)
                probes.2.onFailure(respond)
            }
        )
        try await trial.started()
        probes.0.fail(InjectedFailure("timed out"))
        await probes.0.wait(for: .started, count: 2)
        probes.1.fail(InjectedFailure("wrong password"))
        try await trial.story.wait(for: "b given up, not started again: wrong password")
        #expect(try await trial.children() == ["a running", "b given up", "c running"])
        probes.2.fail(InjectedFailure("disk full"))
        let error = await trial.end()
        #expect(error?.code == .gaveUp)
        #expect(error?.path == ["c"])
        #expect(error?.description == "gave up on child \"c\": disk full")
        #expect(probes.0.facts.last == .ended)
    }

    @Test("a child given up in its first start: the start goes on without it")
    func firstStart() async throws {
        let trial = SupervisorTrial(
            Supervisor {
                Probe("a", start: .failing(InjectedFailure("no licence"))).onFailure { _ in .giveUpChild }
                Probe("b")
            }
        )
        try await trial.started()
        #expect(try await trial.children() == ["a given up", "b running"])
        #expect(await trial.stop() == nil)
    }

    @Test("what a child throws when it was told to stop is not asked about")
    func notWhenStopped() async throws {
        let trial = SupervisorTrial(
            Supervisor {
                ChildSpec("a", shutdown: .graceful(.seconds(5))) { child in
                    child.started()
                    await child.shutdownRequested()
                    throw InjectedFailure("could not flush")
                }
                .onFailure { _ in
                    Issue.record("asked about an error of a child that was told to stop")
                    return .giveUpSupervisor
                }
            }
        )
        try await trial.started()
        #expect(await trial.stop() == nil)
    }

    @Test("giving up is never silent: it is a failure to the parent", arguments: Restart.allCases)
    func nested(restart: Restart) async throws {
        let leaf = Probe("leaf")
        let trial = SupervisorTrial(
            Supervisor {
                Supervisor("inner", intensity: never, restart: restart) { leaf }
                Probe("other")
            }
        )
        try await trial.started()
        leaf.fail(InjectedFailure("bad sector"))
        try await trial.story.wait(
            for: .line(
                "inner failed: gave up on child \"inner/leaf\": "
                    + "more than 0 restarts within 1.0 seconds: bad sector"
            )
        )
        if restart == .temporary {
            #expect(try await trial.children() == ["other running"])
        } else {
            await leaf.wait(for: .started, count: 2)
            try await trial.story.wait(for: .start(of: "inner"), count: 2)
            #expect(try await trial.children() == ["inner running", "other running"])
        }
        #expect(await trial.stop() == nil)
    }

    @Test(
        "up through transient and permanent supervisors, with the path and the last error, to the top",
        arguments: [FailureResponse.restart, .giveUpSupervisor]
    )
    func allTheWay(response: FailureResponse) async throws {
        let leaf = Probe("leaf")
        let trial = SupervisorTrial(
            Supervisor(intensity: never) {
                Supervisor("a", intensity: never, restart: .transient) {
                    Supervisor("b", intensity: never) {
                        Supervisor("c", intensity: never, restart: .transient) {
                            leaf.onFailure { _ in response }
                        }
                    }
                }
            }
        )
        try await trial.started()
        leaf.fail(InjectedFailure("bad sector"))
        let error = await trial.end()
        #expect(error?.code == .gaveUp)
        #expect(error?.path == ["a", "b", "c", "leaf"])
        #expect(error?.underlying as? InjectedFailure == InjectedFailure("bad sector"))
    }

    @Test(
        "a nested supervisor over its own limit is given up with all that stands below, and the rest goes on"
    )
    func nestedLimit() async throws {
        let (leaf, other) = (Probe("leaf"), Probe("other"))
        let trial = SupervisorTrial(
            Supervisor(intensity: never) {
                Supervisor("inner", intensity: never) { leaf }.limit(maxRestarts: 1, within: .seconds(60))
                other
            }
        )
        try await trial.started()
        for count in 1...2 {
            try await trial.story.wait(for: .start(of: "inner"), count: count)
            leaf.fail(InjectedFailure("bad sector"))
        }
        try await trial.story.wait(
            for: .line(
                "inner given up, not started again: gave up on child \"inner/leaf\": "
                    + "more than 0 restarts within 1.0 seconds: bad sector"
            )
        )
        #expect(try await trial.children() == ["inner given up", "other running"])
        #expect(await trial.stop() == nil)
    }
}
