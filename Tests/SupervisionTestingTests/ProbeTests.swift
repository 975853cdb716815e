import Supervision
import SupervisionTesting
import Testing

@Suite("Probe")
struct ProbeTests {
    @Test("it fails with an error of the library's own, unless the test has another one")
    func fails() async throws {
        let probe = Probe("child")
        let trial = SupervisorTrial(Supervisor { probe })
        try await trial.started()
        probe.fail()
        try await trial.story.wait(for: "child failed: failed by the test")
        await probe.wait(for: .started, count: 2)
        probe.fail(InjectedFailure("no route"))
        try await trial.story.wait(for: "child failed: no route")
        #expect(await trial.stop() == nil)
    }
}

@Suite("PublishingProbe")
struct PublishingProbeTests {
    @Test("what is published when told is what readers get, and a later value replaces it")
    func whenTold() async throws {
        let pool = ChildReference<String>()
        let probe = PublishingProbe("pool", publishing: pool)
        let trial = SupervisorTrial(Supervisor { probe })
        await probe.wait(for: .begun)
        #expect(pool.current == nil)
        probe.publish("one")
        try await trial.started()
        #expect(try await pool.value == "one")
        probe.publish("two")
        await probe.wait(for: .started, count: 2)
        probe.copies[0].started("three")
        #expect(try await pool.value == "three")
        try trial.story.expect(.start(of: "pool"), times: 1)
        #expect(await trial.stop() == nil)
        #expect(probe.facts.last == .ended)
    }

    @Test("one that publishes at once does so at each start, until the test has it start otherwise")
    func atOnce() async throws {
        let probe = PublishingProbe("pool", start: .publishing(1))
        let trial = SupervisorTrial(Supervisor { probe })
        try await trial.started()
        #expect(probe.reference.current == 1)
        probe.fail()
        try await trial.story.wait(for: .start(of: "pool"), count: 2)
        #expect(probe.reference.current == 1)

        probe.nextStart(.publishing(2))
        probe.fail()
        try await trial.story.wait(for: .start(of: "pool"), count: 3)
        #expect(probe.reference.current == 2)

        probe.nextStart(.whenTold)
        probe.finish()
        await probe.wait(for: .begun, count: 4)
        #expect(probe.reference.current == nil)
        probe.publish(3)
        #expect(try await probe.reference.value == 3)
        #expect(probe.copies.count == 4)
        #expect(await trial.stop() == nil)
    }

    @Test("what is published where no copy runs is what the next one publishes")
    func before() async throws {
        let probe = PublishingProbe<Int>("pool", start: .failing(InjectedFailure("no disk")))
        #expect(
            await SupervisorTrial(Supervisor { probe }).end()?.description
                == "child \"pool\" failed to start: no disk"
        )
        probe.nextStart(.whenTold)
        probe.publish(1)
        let trial = SupervisorTrial(Supervisor { probe })
        try await trial.started()
        #expect(probe.reference.current == 1)
        #expect(await trial.stop() == nil)
    }

    @Test("one that ignores its stop goes on until it is told")
    func ignoresStop() async throws {
        let probe = PublishingProbe("pool", restart: .temporary, start: .publishing(1), ignoresStop: true)
        let trial = SupervisorTrial(Supervisor { probe })
        try await trial.started()
        trial.supervisor.stop()
        await probe.wait(for: .cancelled)
        #expect(!probe.facts.contains(.ended))
        probe.finish()
        #expect(await trial.end() == nil)
    }
}
