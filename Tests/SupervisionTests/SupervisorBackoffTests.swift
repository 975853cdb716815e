import Supervision
import SupervisionTesting
import Testing

@Suite("Supervisor: backoff")
struct SupervisorBackoffTests {
    @Test("a child waits for its time on the supervisor's clock, longer each time, up to the cap")
    func growing() async throws {
        let probe = Probe("child")
        let trial = SupervisorTrial(
            Supervisor(intensity: .init(maxRestarts: 0, within: .seconds(1))) {
                probe.backoff(.exponential(from: .seconds(1), to: .seconds(5), jitter: 0))
                Probe("sibling")
            }
        )
        try await trial.started()
        for (failures, seconds) in [1, 2, 4, 5, 5].enumerated() {
            probe.fail()
            let times = "\(failures + 1) \(failures == 0 ? "time" : "times")"
            try await trial.story.wait(
                for: "child restarting in \(seconds).0 seconds, \(times) so far"
            )
            trial.clock.advance(by: .seconds(seconds) - .milliseconds(1))
            #expect(try await trial.children() == ["child waiting", "sibling running"])
            trial.clock.advance(by: .milliseconds(1))
            await probe.wait(for: .started, count: failures + 2)
        }
        #expect(await trial.stop() == nil)
        #expect(trial.clock.sleeperCount == 0)
    }

    @Test("a child that ran for long enough begins with the first delay again")
    func reset() async throws {
        let probe = Probe("child")
        let trial = SupervisorTrial(
            Supervisor {
                probe.backoff(.exponential(from: .seconds(1), to: .seconds(8), jitter: 0))
            }
        )
        try await trial.started()
        for count in 1...2 {
            probe.fail()
            try await trial.story.wait(for: .restart(of: "child"), count: count)
            trial.clock.advance(by: .seconds(count))
            await probe.wait(for: .started, count: count + 1)
            try await trial.story.wait(for: .start(of: "child"), count: count + 1)
        }
        trial.clock.advance(by: .seconds(8))
        probe.fail()
        try await trial.story.wait(for: "child restarting in 1.0 seconds, 3 times so far")
        #expect(await trial.stop() == nil)
    }

    @Test("jitter shortens a delay and never lengthens it")
    func jitter() async throws {
        let probe = Probe("child")
        let trial = SupervisorTrial(
            Supervisor { probe.backoff(.constant(.seconds(10), jitter: 0.5)) }
        )
        try await trial.started()
        for count in 2...20 {
            probe.fail()
            try await trial.story.wait(for: .restart(of: "child"), count: count - 1)
            trial.clock.advance(by: .seconds(10))
            await probe.wait(for: .started, count: count)
        }
        let delays = trial.story.events.compactMap { event -> Duration? in
            if case .childRestarting(_, _, let delay) = event.kind { delay } else { nil }
        }
        #expect(delays.count == 19)
        #expect(delays.allSatisfy { $0 > .seconds(5) && $0 <= .seconds(10) })
        #expect(Set(delays).count > 1)
        #expect(await trial.stop() == nil)
    }

    @Test("a stop during a backoff is at once", arguments: Strategy.allCases, [true, false])
    func stop(strategy: Strategy, byCancellation: Bool) async throws {
        let probe = Probe("child")
        let trial = SupervisorTrial(
            Supervisor(strategy: strategy) {
                probe.backoff(.constant(.seconds(3600)))
                Probe("sibling")
            }
        )
        try await trial.started()
        probe.fail()
        try await trial.story.wait(for: .restart(of: "child"))
        await trial.clock.sleepers(atLeast: 1)
        if byCancellation { trial.cancel() } else { trial.supervisor.stop() }
        #expect(await trial.end() == nil)
        #expect(trial.clock.sleeperCount == 0)
        #expect(probe.facts.count { $0 == .begun } == 1)
    }

    @Test("coupled children are stopped at once and wait with the failed one, then all are started in order")
    func coupled() async throws {
        let bad = Probe("bad")
        let trial = SupervisorTrial(
            Supervisor(strategy: .oneForAll) {
                Probe("above")
                bad.backoff(.constant(.seconds(2)))
                Probe("below")
            }
        )
        try await trial.started()
        bad.fail()
        try await trial.story.wait(for: .stop(of: "above"))
        #expect(try await trial.children() == ["above stopped", "bad waiting", "below stopped"])
        trial.clock.advance(by: .seconds(2))
        try await trial.story.wait(for: .start(of: "below"), count: 2)
        #expect(
            trial.story.lines(from: "bad restarting in 2.0 seconds, 1 time so far").dropFirst() == [
                "below stopping", "below stopped", "above stopping", "above stopped",
                "above starting", "above started", "bad starting", "bad started",
                "below starting", "below started",
            ]
        )
        #expect(await trial.stop() == nil)
    }

    @Test("a child that waits can be terminated, and is not started when its time comes")
    func terminate() async throws {
        let probe = Probe("child")
        let trial = SupervisorTrial(Supervisor { probe.backoff(.constant(.seconds(5))) })
        try await trial.started()
        probe.fail()
        try await trial.story.wait(for: .restart(of: "child"))
        #expect(await code { try await trial.supervisor.restartChild("child") } == .childRestarting)
        #expect(await code { try await trial.supervisor.deleteChild("child") } == .childRestarting)
        try await trial.supervisor.terminateChild("child")
        trial.clock.advance(by: .seconds(5))
        #expect(await trial.supervisor.ping())
        #expect(try await trial.children() == ["child terminated"])
        #expect(await trial.stop() == nil)
        #expect(probe.facts.count { $0 == .begun } == 1)
    }

    @Test("several children wait each for their own time")
    func several() async throws {
        let probes = (0..<5).map { Probe("\($0)") }
        let trial = SupervisorTrial(
            Supervisor {
                for (index, probe) in probes.enumerated() {
                    probe.backoff(.constant(.seconds(5 - index)))
                }
            }
        )
        try await trial.started()
        for (index, probe) in probes.enumerated() {
            probe.fail()
            try await trial.story.wait(for: "\(index) restarting in \(5 - index).0 seconds, 1 time so far")
        }
        for second in 1...5 {
            trial.clock.advance(by: .seconds(1))
            await probes[5 - second].wait(for: .started, count: 2)
            if second < 5 { #expect(probes[4 - second].facts.count { $0 == .begun } == 1) }
        }
        #expect(await trial.stop() == nil)
    }
}
