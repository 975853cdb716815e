import Supervision
import SupervisionTesting
import Testing

@Suite("SupervisorTrial")
struct SupervisorTrialTests {
    @Test("what each child is doing is told in words, as long as the supervisor runs")
    func children() async throws {
        let slow = Probe("slow")
        let trial = SupervisorTrial(
            Supervisor {
                slow
                Probe("web")
            }
        )
        try await trial.started()
        slow.nextStart(.whenTold)
        slow.fail()
        await slow.wait(for: .begun, count: 2)
        try await trial.supervisor.terminateChild("web")
        #expect(try await trial.children() == ["slow starting", "web terminated"])
        #expect(await trial.stop() == nil)
        await #expect { try await trial.children() } throws: { error in
            (error as? SupervisorError)?.code == .notRunning
        }
    }

    @Test("a task that is left behind is found among many children that have come and gone")
    func leftAmongMany() async throws {
        let gate = Gate()
        let calls = DynamicSupervisor("calls", restart: .temporary) { (child, number: Int) in
            if number == 7 { Task { await gate.wait() } }
            child.started()
        }
        let trial = SupervisorTrial(Supervisor { calls })
        try await trial.started()
        for number in 0..<300 { _ = try await calls.startChild(number) }
        await trial.stop()
        #expect(await failure { try await trial.expectNothingLeft() } == "calls/7 has left a task running")
        gate.open()
        try await trial.expectNothingLeft()
    }

    @Test("a test that has run out of time hears which child would not stop, rather than wait for ever")
    func outOfTime() async throws {
        let stubborn = Probe("stubborn", shutdown: .graceful(.seconds(60)), ignoresStop: true)
        let trial = SupervisorTrial(
            Supervisor {
                stubborn
                ChildSpec("poll") { child in
                    child.started()
                    while true { try await child.clock.sleep(for: .seconds(1)) }
                }
                Probe("patient", shutdown: .infinity)
            }
        )
        try await trial.started()
        trial.faults.hangStop(of: "patient")
        let stop = Task { await trial.stop() }
        try await trial.story.wait(forBeginOf: .stop(of: "patient"))
        stop.cancel()
        #expect(await stop.value?.abandoned == [["stubborn"]])
        try trial.story.expect(stopOrder: "patient", "poll", "stubborn")
        stubborn.finish()
    }

    @Test("a restart behind a backoff comes when the clock is moved by the whole delay")
    func backoff() async throws {
        let feed = Probe("feed")
        let trial = SupervisorTrial(
            Supervisor {
                feed.backoff(.exponential(from: .seconds(1), to: .seconds(30)))
            }
        )
        try await trial.started()
        feed.fail()
        try await trial.story.wait(for: .failure(of: "feed"))
        await trial.clock.sleepers(atLeast: 1)
        trial.clock.advance(by: .seconds(1))
        try await trial.story.wait(for: .start(of: "feed"), count: 2)
        #expect(await trial.stop() == nil)
    }
}
