import Supervision
import SupervisionTesting
import Testing

@Suite("Supervisor: restart")
struct SupervisorRestartTests {
    @Test("a failed child is started again, its siblings are left alone")
    func restart() async throws {
        let (first, second) = (Probe("first"), Probe("second"))
        let trial = SupervisorTrial(
            Supervisor {
                first; second
            }
        )
        try await trial.started()
        first.fail()
        await first.wait(for: .started, count: 2)
        #expect(second.facts == [.begun, .started])
        #expect(await trial.stop() == nil)
        #expect(
            trial.story.lines(from: "first failed: failed by the test").prefix(3) == [
                "first failed: failed by the test", "first restarting, 1 time so far", "first starting",
            ]
        )
    }

    @Test("a cancellation nobody asked for is a failure to a transient child")
    func cancelledFromOutside() async throws {
        let probe = Probe("child", restart: .transient)
        let trial = SupervisorTrial(Supervisor { probe })
        try await trial.started()
        probe.fail(CancellationError())
        await probe.wait(for: .started, count: 2)
        #expect(await trial.stop() == nil)
    }

    @Test("the supervisor gives up after one restart too many, and tells the child and its last error")
    func givesUp() async throws {
        let (first, second) = (Probe("first"), Probe("second"))
        let trial = SupervisorTrial(
            Supervisor(intensity: .init(maxRestarts: 2, within: .milliseconds(500))) {
                first; second
            }
        )
        try await trial.started()
        for count in 1...3 {
            await first.wait(for: .started, count: count)
            first.fail(InjectedFailure("failure \(count)"))
        }
        let error = await trial.end()
        #expect(error?.code == .gaveUp)
        #expect(error?.path == ["first"])
        #expect(
            error?.description
                == "gave up on child \"first\": more than 2 restarts within 0.5 seconds: failure 3"
        )
        #expect(second.facts.contains(.cancelled))
    }

    @Test("restarts that have left the window on the injected clock do not count")
    func windowOnTestClock() async throws {
        let probe = Probe("child")
        let trial = SupervisorTrial(
            Supervisor(intensity: .init(maxRestarts: 1, within: .milliseconds(500))) { probe }
        )
        try await trial.started()
        for count in 1...20 {
            await probe.wait(for: .started, count: count)
            probe.fail()
            await probe.wait(for: .started, count: count + 1)
            trial.clock.advance(by: .milliseconds(501))
        }
        #expect(await trial.stop() == nil)
    }

    @Test("a restart that fails to start is tried again until the intensity is used up")
    func failingRestart() async throws {
        let probe = Probe("child")
        let trial = SupervisorTrial(Supervisor { probe })
        try await trial.started()
        probe.nextStart(.failing(InjectedFailure("no disk")))
        probe.fail()
        let error = await trial.end()
        #expect(error?.code == .gaveUp)
        #expect(error?.underlying as? InjectedFailure == InjectedFailure("no disk"))
        #expect(probe.facts.count { $0 == .begun } == 4, "the first start and three restarts")
    }

    @Test("a restart that fails to start and then succeeds goes on")
    func recoveringRestart() async throws {
        let probe = Probe("child")
        let trial = SupervisorTrial(Supervisor { probe })
        try await trial.started()
        probe.nextStart(.whenTold)
        probe.fail()
        await probe.wait(for: .begun, count: 2)
        probe.nextStart(.atOnce)
        probe.fail(InjectedFailure("still not"))
        await probe.wait(for: .started, count: 2)
        #expect(await trial.stop() == nil)
    }

    @Test("one for all: the others are stopped in reverse order, then all are started in order")
    func oneForAll() async throws {
        let (a, b, c) = (Probe("a"), Probe("b"), Probe("c", restart: .temporary))
        let trial = SupervisorTrial(
            Supervisor(strategy: .oneForAll) {
                a; b; c
            }
        )
        try await trial.started()
        b.fail()
        await b.wait(for: .started, count: 2)
        #expect(await trial.stop() == nil)
        #expect(
            trial.story.lines(from: "b failed: failed by the test").prefix(11) == [
                "b failed: failed by the test", "b restarting, 1 time so far",
                "c stopping", "c stopped", "c dropped, a temporary child does not come back",
                "a stopping", "a stopped",
                "a starting", "a started", "b starting", "b started",
            ]
        )
        try trial.story.expect("supervisor started", times: 1)
    }

    @Test("rest for one: those below the failed child are restarted with it, those above are left alone")
    func restForOne() async throws {
        let (a, b, c) = (Probe("a"), Probe("b"), Probe("c"))
        let trial = SupervisorTrial(
            Supervisor(strategy: .restForOne) {
                a; b; c
            }
        )
        try await trial.started()
        b.fail()
        await c.wait(for: .started, count: 2)
        #expect(a.facts == [.begun, .started])
        #expect(await trial.stop() == nil)
        #expect(
            trial.story.lines(from: "b failed: failed by the test").prefix(8) == [
                "b failed: failed by the test", "b restarting, 1 time so far", "c stopping", "c stopped",
                "b starting", "b started", "c starting", "c started",
            ]
        )
    }

    @Test("a sibling that ignores the stop of a strategy is never doubled: the supervisor ends")
    func hungSibling() async throws {
        let (a, b) = (Probe("a"), Probe("b", ignoresStop: true))
        let trial = SupervisorTrial(
            Supervisor(strategy: .oneForAll) {
                a; b
            }
        )
        try await trial.started()
        a.fail()
        await b.wait(for: .cancelled)
        trial.clock.advance(by: .seconds(5))
        let error = await trial.end()
        #expect(error?.code == .childrenAbandoned)
        #expect(error?.abandoned == [["b"]])
        b.finish()
        await b.wait(for: .ended)
    }

    @Test("a nested supervisor that gave up is restarted by its parent, whole")
    func nestedGivesUp() async throws {
        let (a, b) = (Probe("a"), Probe("b"))
        let trial = SupervisorTrial(
            Supervisor {
                Supervisor("inner", intensity: .init(maxRestarts: 0, within: .seconds(1))) {
                    a; b
                }
            }
        )
        try await trial.started()
        a.fail()
        await b.wait(for: .started, count: 2)
        #expect(await trial.stop() == nil)
        #expect(
            trial.story.lines(from: "inner/a failed: failed by the test").prefix(9) == [
                "inner/a failed: failed by the test",
                "supervisor inner stopping: gave up on a, more than 0 restarts within 1.0 seconds: failed by the test",
                "inner/b stopping", "inner/b stopped", "supervisor inner stopped",
                "inner failed: gave up on child \"inner/a\": more than 0 restarts within 1.0 seconds: failed by the test",
                "inner restarting, 1 time so far", "inner starting", "supervisor inner starting",
            ]
        )
    }

    @Test("giving up goes up level by level, with the deepest child and its error")
    func nestedGivesUpAllTheWay() async throws {
        let probe = Probe("leaf", start: .atOnce)
        let never = RestartIntensity(maxRestarts: 0, within: .seconds(1))
        let trial = SupervisorTrial(
            Supervisor(intensity: never) {
                Supervisor("middle", intensity: never, restart: .transient) {
                    Supervisor("inner", intensity: never) { probe }
                }
            }
        )
        try await trial.started()
        probe.fail(InjectedFailure("bad sector"))
        let error = await trial.end()
        #expect(error?.code == .gaveUp)
        #expect(error?.path == ["middle", "inner", "leaf"])
        #expect(error?.underlying as? InjectedFailure == InjectedFailure("bad sector"))
    }

    @Test("a nested supervisor that cannot start is a child that failed to start")
    func nestedFailsToStart() async {
        let trial = SupervisorTrial(
            Supervisor {
                Supervisor("inner") { Probe("leaf", start: .failing(InjectedFailure("no disk"))) }
            }
        )
        let error = await trial.end()
        #expect(error?.code == .childFailedToStart)
        #expect(error?.path == ["inner", "leaf"])
        #expect(error?.description == "child \"inner/leaf\" failed to start: no disk")
    }
}
