import Supervision
import SupervisionTesting
import Testing

@Suite("Supervisor: backoff")
struct SupervisorBackoffTests {
    @Test("a child waits for its time on the supervisor's clock, longer each time, up to the cap")
    func growing() async throws {
        let clock = TestClock()
        let probe = Probe("child")
        let trial = Trial(
            Supervisor(intensity: .init(maxRestarts: 0, within: .seconds(1)), clock: clock) {
                probe.backoff(.exponential(from: .seconds(1), to: .seconds(5), jitter: 0))
                Probe("sibling")
            }
        )
        await trial.up()
        for (failures, seconds) in [1, 2, 4, 5, 5].enumerated() {
            probe.fail(Failure())
            let times = "\(failures + 1) \(failures == 0 ? "time" : "times")"
            await trial.recorder.wait(
                for: "child restarting in \(seconds).0 seconds, \(times) so far"
            )
            await clock.sleepers(atLeast: 1)
            clock.advance(by: .seconds(seconds) - .milliseconds(1))
            #expect(try await trial.children() == ["child waiting", "sibling running"])
            clock.advance(by: .milliseconds(1))
            await probe.wait(for: .started, count: failures + 2)
        }
        #expect(await trial.stop() == nil)
        #expect(clock.sleeperCount == 0)
    }

    @Test("a child that ran for long enough begins with the first delay again")
    func reset() async {
        let clock = TestClock()
        let probe = Probe("child")
        let trial = Trial(
            Supervisor(clock: clock) {
                probe.backoff(.exponential(from: .seconds(1), to: .seconds(8), jitter: 0))
            }
        )
        await trial.up()
        for count in 1...2 {
            probe.fail(Failure())
            await clock.sleepers(atLeast: 1)
            clock.advance(by: .seconds(count))
            await probe.wait(for: .started, count: count + 1)
            await trial.recorder.wait(for: "child started", count: count + 1)
        }
        clock.advance(by: .seconds(8))
        probe.fail(Failure())
        await trial.recorder.wait(for: "child restarting in 1.0 seconds, 3 times so far")
        #expect(await trial.stop() == nil)
    }

    @Test("jitter shortens a delay and never lengthens it")
    func jitter() async {
        let clock = TestClock()
        let probe = Probe("child")
        let trial = Trial(
            Supervisor(clock: clock) { probe.backoff(.constant(.seconds(10), jitter: 0.5)) }
        )
        await trial.up()
        for count in 2...20 {
            probe.fail(Failure())
            await clock.sleepers(atLeast: 1)
            clock.advance(by: .seconds(10))
            await probe.wait(for: .started, count: count)
        }
        let delays = trial.recorder.events.compactMap { event -> Duration? in
            if case .childRestarting(_, _, let delay) = event.kind { delay } else { nil }
        }
        #expect(delays.count == 19)
        #expect(delays.allSatisfy { $0 > .seconds(5) && $0 <= .seconds(10) })
        #expect(Set(delays).count > 1)
        #expect(await trial.stop() == nil)
    }

    @Test("a stop during a backoff is at once", arguments: Strategy.allCases, [true, false])
    func stop(strategy: Strategy, byCancellation: Bool) async {
        let clock = TestClock()
        let probe = Probe("child")
        let trial = Trial(
            Supervisor(strategy: strategy, clock: clock) {
                probe.backoff(.constant(.seconds(3600)))
                Probe("sibling")
            }
        )
        await trial.up()
        probe.fail(Failure())
        await clock.sleepers(atLeast: 1)
        if byCancellation { trial.task.cancel() } else { trial.supervisor.stop() }
        #expect(await trial.error() == nil)
        #expect(clock.sleeperCount == 0)
        #expect(probe.facts.count { $0 == .begun } == 1)
    }

    @Test("coupled children are stopped at once and wait with the failed one, then all are started in order")
    func coupled() async throws {
        let clock = TestClock()
        let bad = Probe("bad")
        let trial = Trial(
            Supervisor(strategy: .oneForAll, clock: clock) {
                Probe("above")
                bad.backoff(.constant(.seconds(2)))
                Probe("below")
            }
        )
        await trial.up()
        bad.fail(Failure())
        await clock.sleepers(atLeast: 1)
        await trial.recorder.wait(for: "above stopped")
        #expect(try await trial.children() == ["above stopped", "bad waiting", "below stopped"])
        clock.advance(by: .seconds(2))
        await trial.recorder.wait(for: "below started", count: 2)
        #expect(
            trial.lines(from: "bad restarting in 2.0 seconds, 1 time so far").dropFirst() == [
                "below stopping", "below stopped", "above stopping", "above stopped",
                "above starting", "above started", "bad starting", "bad started",
                "below starting", "below started",
            ]
        )
        #expect(await trial.stop() == nil)
    }

    @Test("a child that waits can be terminated, and is not started when its time comes")
    func terminate() async throws {
        let clock = TestClock()
        let probe = Probe("child")
        let trial = Trial(Supervisor(clock: clock) { probe.backoff(.constant(.seconds(5))) })
        await trial.up()
        probe.fail(Failure())
        await clock.sleepers(atLeast: 1)
        #expect(await code { try await trial.supervisor.restartChild("child") } == .childRestarting)
        #expect(await code { try await trial.supervisor.deleteChild("child") } == .childRestarting)
        try await trial.supervisor.terminateChild("child")
        clock.advance(by: .seconds(5))
        #expect(await trial.supervisor.ping())
        #expect(try await trial.children() == ["child terminated"])
        #expect(await trial.stop() == nil)
        #expect(probe.facts.count { $0 == .begun } == 1)
    }

    @Test("several children wait each for their own time")
    func several() async {
        let clock = TestClock()
        let probes = (0..<5).map { Probe("\($0)") }
        let trial = Trial(
            Supervisor(clock: clock) {
                for (index, probe) in probes.enumerated() {
                    probe.backoff(.constant(.seconds(5 - index)))
                }
            }
        )
        await trial.up()
        for (index, probe) in probes.enumerated() {
            probe.fail(Failure())
            await trial.recorder.wait(for: "\(index) restarting in \(5 - index).0 seconds, 1 time so far")
        }
        for second in 1...5 {
            await clock.sleepers(atLeast: 1)
            clock.advance(by: .seconds(1))
            await probes[5 - second].wait(for: .started, count: 2)
            if second < 5 { #expect(probes[4 - second].facts.count { $0 == .begun } == 1) }
        }
        #expect(await trial.stop() == nil)
    }
}
