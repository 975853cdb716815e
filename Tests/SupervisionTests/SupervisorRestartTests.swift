import Supervision
import SupervisionTesting
import Testing

@Suite("Supervisor: restart")
struct SupervisorRestartTests {
    @Test("a failed child is started again, its siblings are left alone")
    func restart() async {
        let (first, second) = (Probe("first"), Probe("second"))
        let trial = Trial(
            Supervisor {
                first; second
            }
        )
        await trial.up()
        first.fail(Failure())
        await first.wait(for: .started, count: 2)
        #expect(second.facts == [.begun, .started])
        trial.supervisor.stop()
        #expect(await trial.error() == nil)
        #expect(
            trial.lines(from: "first failed: broken").prefix(3) == [
                "first failed: broken", "first restarting, 1 time so far", "first starting",
            ]
        )
    }

    @Test("a cancellation nobody asked for is a failure to a transient child")
    func cancelledFromOutside() async {
        let probe = Probe("child", restart: .transient)
        let trial = Trial(Supervisor { probe })
        await trial.up()
        probe.fail(CancellationError())
        await probe.wait(for: .started, count: 2)
        trial.supervisor.stop()
        #expect(await trial.error() == nil)
    }

    @Test("the supervisor gives up after one restart too many, and tells the child and its last error")
    func givesUp() async {
        let (first, second) = (Probe("first"), Probe("second"))
        let clock = TestClock()
        let trial = Trial(
            Supervisor(intensity: .init(maxRestarts: 2, within: .milliseconds(500)), clock: clock) {
                first; second
            }
        )
        await trial.up()
        for count in 1...3 {
            await first.wait(for: .started, count: count)
            first.fail(Failure("failure \(count)"))
        }
        let error = await trial.error()
        #expect(error?.code == .gaveUp)
        #expect(error?.path == ["first"])
        #expect(
            error?.description
                == "gave up on child \"first\": more than 2 restarts within 0.5 seconds: failure 3"
        )
        #expect(second.facts.contains(.cancelled))
    }

    @Test("restarts that have left the window on the injected clock do not count")
    func windowOnTestClock() async {
        let probe = Probe("child")
        let clock = TestClock()
        let trial = Trial(
            Supervisor(intensity: .init(maxRestarts: 1, within: .milliseconds(500)), clock: clock) { probe }
        )
        await trial.up()
        for count in 1...20 {
            await probe.wait(for: .started, count: count)
            probe.fail(Failure())
            await probe.wait(for: .started, count: count + 1)
            clock.advance(by: .milliseconds(501))
        }
        trial.supervisor.stop()
        #expect(await trial.error() == nil)
    }

    @Test("a restart that fails to start is tried again until the intensity is used up")
    func failingRestart() async {
        let probe = Probe("child")
        let trial = Trial(Supervisor(clock: TestClock()) { probe })
        await trial.up()
        probe.nextStart(.failing(Failure("no disk")))
        probe.fail(Failure())
        let error = await trial.error()
        #expect(error?.code == .gaveUp)
        #expect(error?.underlying as? Failure == Failure("no disk"))
        #expect(probe.facts.count { $0 == .begun } == 4, "the first start and three restarts")
    }

    @Test("a restart that fails to start and then succeeds goes on")
    func recoveringRestart() async {
        let probe = Probe("child")
        let trial = Trial(Supervisor { probe })
        await trial.up()
        probe.nextStart(.whenTold)
        probe.fail(Failure())
        await probe.wait(for: .begun, count: 2)
        probe.nextStart(.atOnce)
        probe.fail(Failure("still not"))
        await probe.wait(for: .started, count: 2)
        trial.supervisor.stop()
        #expect(await trial.error() == nil)
    }

    @Test("one for all: the others are stopped in reverse order, then all are started in order")
    func oneForAll() async {
        let (a, b, c) = (Probe("a"), Probe("b"), Probe("c", restart: .temporary))
        let trial = Trial(
            Supervisor(strategy: .oneForAll) {
                a; b; c
            }
        )
        await trial.up()
        b.fail(Failure())
        await b.wait(for: .started, count: 2)
        trial.supervisor.stop()
        #expect(await trial.error() == nil)
        #expect(
            trial.lines(from: "b failed: broken").prefix(11) == [
                "b failed: broken", "b restarting, 1 time so far",
                "c stopping", "c stopped", "c dropped, a temporary child does not come back",
                "a stopping", "a stopped",
                "a starting", "a started", "b starting", "b started",
            ]
        )
        #expect(trial.recorder.lines.count { $0 == "supervisor started" } == 1)
    }

    @Test("rest for one: those below the failed child are restarted with it, those above are left alone")
    func restForOne() async {
        let (a, b, c) = (Probe("a"), Probe("b"), Probe("c"))
        let trial = Trial(
            Supervisor(strategy: .restForOne) {
                a; b; c
            }
        )
        await trial.up()
        b.fail(Failure())
        await c.wait(for: .started, count: 2)
        #expect(a.facts == [.begun, .started])
        trial.supervisor.stop()
        #expect(await trial.error() == nil)
        #expect(
            trial.lines(from: "b failed: broken").prefix(8) == [
                "b failed: broken", "b restarting, 1 time so far", "c stopping", "c stopped",
                "b starting", "b started", "c starting", "c started",
            ]
        )
    }

    @Test("a sibling that ignores the stop of a strategy is never doubled: the supervisor ends")
    func hungSibling() async {
        let (a, b) = (Probe("a"), Probe("b", ignoresStop: true))
        let clock = TestClock()
        let trial = Trial(
            Supervisor(strategy: .oneForAll, clock: clock) {
                a; b
            }
        )
        await trial.up()
        a.fail(Failure())
        await b.wait(for: .cancelled)
        await clock.sleepers(atLeast: 1)
        clock.advance(by: .seconds(5))
        let error = await trial.error()
        #expect(error?.code == .childrenAbandoned)
        #expect(error?.abandoned == [["b"]])
        b.finish()
        await b.wait(for: .ended)
    }

    @Test("a nested supervisor that gave up is restarted by its parent, whole")
    func nestedGivesUp() async {
        let (a, b) = (Probe("a"), Probe("b"))
        let trial = Trial(
            Supervisor {
                Supervisor("inner", intensity: .init(maxRestarts: 0, within: .seconds(1))) {
                    a; b
                }
            }
        )
        await trial.up()
        a.fail(Failure())
        await b.wait(for: .started, count: 2)
        trial.supervisor.stop()
        #expect(await trial.error() == nil)
        #expect(
            trial.lines(from: "inner/a failed: broken").prefix(9) == [
                "inner/a failed: broken",
                "supervisor inner stopping: gave up on a, more than 0 restarts within 1.0 seconds: broken",
                "inner/b stopping", "inner/b stopped", "supervisor inner stopped",
                "inner failed: gave up on child \"inner/a\": more than 0 restarts within 1.0 seconds: broken",
                "inner restarting, 1 time so far", "inner starting", "supervisor inner starting",
            ]
        )
    }

    @Test("giving up goes up level by level, with the deepest child and its error")
    func nestedGivesUpAllTheWay() async {
        let probe = Probe("leaf", start: .atOnce)
        let never = RestartIntensity(maxRestarts: 0, within: .seconds(1))
        let trial = Trial(
            Supervisor(intensity: never) {
                Supervisor("middle", intensity: never, restart: .transient) {
                    Supervisor("inner", intensity: never) { probe }
                }
            }
        )
        await trial.up()
        probe.fail(Failure("bad sector"))
        let error = await trial.error()
        #expect(error?.code == .gaveUp)
        #expect(error?.path == ["middle", "inner", "leaf"])
        #expect(error?.underlying as? Failure == Failure("bad sector"))
    }

    @Test("a nested supervisor that cannot start is a child that failed to start")
    func nestedFailsToStart() async {
        let trial = Trial(
            Supervisor {
                Supervisor("inner") { Probe("leaf", start: .failing(Failure("no disk"))) }
            }
        )
        let error = await trial.error()
        #expect(error?.code == .childFailedToStart)
        #expect(error?.path == ["inner", "leaf"])
        #expect(error?.description == "child \"inner/leaf\" failed to start: no disk")
    }
}
