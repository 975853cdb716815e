import Supervision
import SupervisionTesting
import Testing

@Suite("Supervisor: giving up")
struct SupervisorGivingUpTests {
    private let never = RestartIntensity(maxRestarts: 0, within: .seconds(1))

    @Test("a child over its own limit is given up, and its siblings go on", arguments: Strategy.allCases)
    func limit(strategy: Strategy) async throws {
        let (bad, other) = (Probe("bad"), Probe("other"))
        let trial = Trial(
            Supervisor(strategy: strategy, intensity: never, clock: TestClock()) {
                other
                bad.limit(maxRestarts: 2, within: .seconds(60))
            }
        )
        await trial.up()
        for count in 1...3 {
            await bad.wait(for: .started, count: count)
            await trial.recorder.wait(for: "bad started", count: count)
            bad.fail(Failure("failure \(count)"))
        }
        await trial.recorder.wait(for: "bad given up, not started again: failure 3")
        #expect(try await trial.children() == ["other running", "bad given up"])
        #expect(try await trial.supervisor.whichChild("bad").lastError as? Failure == Failure("failure 3"))
        #expect(await trial.stop() == nil)
    }

    @Test("restarts that have left the child's window do not count")
    func limitWindow() async {
        let clock = TestClock()
        let bad = Probe("bad")
        let trial = Trial(
            Supervisor(intensity: never, clock: clock) { bad.limit(maxRestarts: 1, within: .seconds(10)) }
        )
        await trial.up()
        for count in 2...6 {
            bad.fail(Failure())
            await bad.wait(for: .started, count: count)
            clock.advance(by: .seconds(10) + .milliseconds(1))
        }
        bad.fail(Failure())
        await bad.wait(for: .started, count: 7)
        clock.advance(by: .seconds(10))
        bad.fail(Failure())
        await trial.recorder.wait(for: "bad given up, not started again: broken")
        #expect(await trial.stop() == nil)
    }

    @Test("a child that was given up has a new chance when it is restarted by hand")
    func newChance() async throws {
        let bad = Probe("bad")
        let trial = Trial(Supervisor { bad.limit(maxRestarts: 0, within: .seconds(1)) })
        await trial.up()
        bad.fail(Failure())
        await trial.recorder.wait(for: "bad given up, not started again: broken")
        #expect(try await trial.supervisor.restartChild("bad") == .started)
        #expect(try await trial.children() == ["bad running"])
        #expect(await trial.stop() == nil)
    }

    @Test("onFailure decides about each error: restart, give up the child, give up the supervisor")
    func onFailure() async throws {
        let probes = (Probe("a"), Probe("b"), Probe("c"))
        let respond = { @Sendable (error: any Error) -> FailureResponse in
            switch (error as? Failure)?.description {
            case "wrong password": .giveUpChild
            case "disk full": .giveUpSupervisor
            default: .restart
            }
        }
        let trial = Trial(
            Supervisor {
                probes.0.onFailure(respond)
                probes.1.onFailure(respond)
                probes.2.onFailure(respond)
            }
        )
        await trial.up()
        probes.0.fail(Failure("timed out"))
        await probes.0.wait(for: .started, count: 2)
        probes.1.fail(Failure("wrong password"))
        await trial.recorder.wait(for: "b given up, not started again: wrong password")
        #expect(try await trial.children() == ["a running", "b given up", "c running"])
        probes.2.fail(Failure("disk full"))
        let error = await trial.error()
        #expect(error?.code == .gaveUp)
        #expect(error?.path == ["c"])
        #expect(error?.description == "gave up on child \"c\": disk full")
        #expect(probes.0.facts.last == .ended)
    }

    @Test("a child given up in its first start: the start goes on without it")
    func firstStart() async throws {
        let trial = Trial(
            Supervisor {
                Probe("a", start: .failing(Failure("no licence"))).onFailure { _ in .giveUpChild }
                Probe("b")
            }
        )
        await trial.up()
        #expect(try await trial.children() == ["a given up", "b running"])
        #expect(await trial.stop() == nil)
    }

    @Test("what a child throws when it was told to stop is not asked about")
    func notWhenStopped() async {
        let trial = Trial(
            Supervisor {
                ChildSpec("a", shutdown: .graceful(.seconds(5))) { child in
                    child.started()
                    await child.shutdownRequested()
                    throw Failure("could not flush")
                }
                .onFailure { _ in
                    Issue.record("asked about an error of a child that was told to stop")
                    return .giveUpSupervisor
                }
            }
        )
        await trial.up()
        #expect(await trial.stop() == nil)
    }

    @Test("giving up is never silent: it is a failure to the parent", arguments: Restart.allCases)
    func nested(restart: Restart) async throws {
        let leaf = Probe("leaf")
        let trial = Trial(
            Supervisor {
                Supervisor("inner", intensity: never, restart: restart) { leaf }
                Probe("other")
            }
        )
        await trial.up()
        leaf.fail(Failure("bad sector"))
        await trial.recorder.wait(
            for: "inner failed: gave up on child \"inner/leaf\": "
                + "more than 0 restarts within 1.0 seconds: bad sector"
        )
        if restart == .temporary {
            #expect(try await trial.children() == ["other running"])
        } else {
            await leaf.wait(for: .started, count: 2)
            await trial.recorder.wait(for: "inner started", count: 2)
            #expect(try await trial.children() == ["inner running", "other running"])
        }
        #expect(await trial.stop() == nil)
    }

    @Test(
        "up through transient and permanent supervisors, with the path and the last error, to the top",
        arguments: [FailureResponse.restart, .giveUpSupervisor]
    )
    func allTheWay(response: FailureResponse) async {
        let leaf = Probe("leaf")
        let trial = Trial(
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
        await trial.up()
        leaf.fail(Failure("bad sector"))
        let error = await trial.error()
        #expect(error?.code == .gaveUp)
        #expect(error?.path == ["a", "b", "c", "leaf"])
        #expect(error?.underlying as? Failure == Failure("bad sector"))
    }

    @Test(
        "a nested supervisor over its own limit is given up with all that stands below, and the rest goes on"
    )
    func nestedLimit() async throws {
        let (leaf, other) = (Probe("leaf"), Probe("other"))
        let trial = Trial(
            Supervisor(intensity: never) {
                Supervisor("inner", intensity: never) { leaf }.limit(maxRestarts: 1, within: .seconds(60))
                other
            }
        )
        await trial.up()
        for count in 1...2 {
            await trial.recorder.wait(for: "inner started", count: count)
            leaf.fail(Failure("bad sector"))
        }
        await trial.recorder.wait(
            for: "inner given up, not started again: gave up on child \"inner/leaf\": "
                + "more than 0 restarts within 1.0 seconds: bad sector"
        )
        #expect(try await trial.children() == ["inner given up", "other running"])
        #expect(await trial.stop() == nil)
    }
}
