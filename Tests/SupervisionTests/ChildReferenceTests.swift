import Supervision
import SupervisionTesting
import Testing

@Suite("Child reference: while the child comes and goes")
struct ChildReferenceTests {
    @Test("reading before the child has started waits for what it publishes")
    func before() async throws {
        let publisher = PublishingProbe<Int>("publisher")
        let reference = publisher.reference
        let early = begun { try await reference.value }
        #expect(reference.current == nil)
        let trial = SupervisorTrial(Supervisor { publisher })
        let starting = begun { try await reference.value }
        publisher.publish(1)
        #expect(await early.outcome == "1")
        #expect(await starting.outcome == "1")
        try await trial.started()
        #expect(try await reference.value == 1)
        #expect(reference.current == 1)
        #expect(await trial.stop() == nil)
    }

    @Test("publishing is having started: the children below are started then")
    func publishingStarts() async throws {
        let publisher = PublishingProbe<Int>("publisher")
        let below = Probe("below")
        let trial = SupervisorTrial(
            Supervisor {
                publisher; below
            }
        )
        try await trial.story.wait(forBeginOf: .start(of: "publisher"))
        #expect(await trial.supervisor.ping())
        #expect(below.facts == [])
        publisher.publish(1)
        await below.wait(for: .started)
        #expect(await trial.stop() == nil)
    }

    @Test("a later value replaces the one before")
    func replaced() async throws {
        let publisher = PublishingProbe<Int>("publisher")
        let trial = SupervisorTrial(Supervisor { publisher })
        publisher.publish(1)
        try await trial.started()
        publisher.copies[0].started(2)
        #expect(try await publisher.reference.value == 2)
        #expect(await trial.stop() == nil)
        try trial.story.expect("publisher started", times: 1)
    }

    @Test("reading while the child is restarted waits, and gives what the new copy publishes")
    func duringRestart() async throws {
        let publisher = PublishingProbe<Int>("publisher")
        let reference = publisher.reference
        let trial = SupervisorTrial(Supervisor { publisher })
        publisher.publish(1)
        try await trial.started()
        publisher.fail()
        try await trial.story.wait(forBeginOf: .start(of: "publisher"), count: 2)
        #expect(reference.current == nil)
        let readers = (0..<10).map { _ in begun { try await reference.value } }
        publisher.publish(2)
        for reader in readers { #expect(await reader.outcome == "2") }
        #expect(await trial.stop() == nil)
    }

    @Test("reading while the child waits for its backoff waits with it")
    func duringBackoff() async throws {
        let publisher = PublishingProbe<Int>("publisher")
        let reference = publisher.reference
        let trial = SupervisorTrial(Supervisor { publisher.backoff(.constant(.seconds(9))) })
        publisher.publish(1)
        try await trial.started()
        publisher.fail()
        try await trial.story.wait(for: .restart(of: "publisher"))
        #expect(reference.current == nil)
        let reader = begun { try await reference.value }
        trial.clock.advance(by: .seconds(9))
        publisher.publish(2)
        #expect(await reader.outcome == "2")
        #expect(await trial.stop() == nil)
    }

    @Test("reading while the child is down for a sibling's sake waits")
    func duringStrategy() async throws {
        let bad = Probe("bad")
        let publisher = PublishingProbe<Int>("publisher")
        let reference = publisher.reference
        let trial = SupervisorTrial(
            Supervisor(strategy: .oneForAll) {
                bad; publisher
            }
        )
        publisher.publish(1)
        try await trial.started()
        bad.nextStart(.whenTold)
        bad.fail()
        await bad.wait(for: .begun, count: 2)
        #expect(reference.current == nil)
        let reader = begun { try await reference.value }
        bad.start()
        publisher.publish(2)
        #expect(await reader.outcome == "2")
        #expect(await trial.stop() == nil)
    }

    @Test("readers stand above, below, beside and outside of the tree")
    func readersEverywhere() async throws {
        let publisher = PublishingProbe<Int>("publisher")
        let reference = publisher.reference
        let seen = Recorder<String>()
        let reader = { (name: String) in
            ChildSpec(name, restart: .temporary) {
                let value = try await reference.value
                seen.add("\(name) \(value)")
            }
        }
        let outside = begun { try await reference.value }
        let trial = SupervisorTrial(
            Supervisor {
                reader("above")
                Supervisor("inner") {
                    publisher
                    reader("beside")
                }
                reader("below")
            }
        )
        publisher.publish(1)
        for name in ["above", "inner/beside", "below"] {
            try await trial.story.wait(for: "\(name) returned")
        }
        #expect(seen.all.sorted() == ["above 1", "below 1", "beside 1"])
        #expect(await outside.outcome == "1")
        #expect(await trial.stop() == nil)
    }

    @Test("a reader whose task is cancelled goes, and the others go on waiting", arguments: [true, false])
    func cancelled(beforeReading: Bool) async throws {
        let publisher = PublishingProbe<Int>("publisher")
        let reference = publisher.reference
        let patient = begun { try await reference.value }
        let impatient = begun {
            if beforeReading { try? await Gate().waitUnlessCancelled() }
            return try await reference.value
        }
        impatient.cancel()
        #expect(await impatient.outcome == "cancelled")
        let trial = SupervisorTrial(Supervisor { publisher })
        publisher.publish(1)
        #expect(await patient.outcome == "1")
        #expect(await trial.stop() == nil)
    }

    @Test("publishing after the copy has ended does nothing, and an older copy cannot overwrite a newer one")
    func olderCopy() async throws {
        let publisher = PublishingProbe<Int>("publisher")
        let reference = publisher.reference
        let trial = SupervisorTrial(Supervisor { publisher })
        publisher.publish(1)
        try await trial.started()
        publisher.fail()
        try await trial.story.wait(forBeginOf: .start(of: "publisher"), count: 2)
        publisher.copies[0].started(100)
        #expect(reference.current == nil)
        publisher.publish(2)
        try await trial.story.wait(for: .start(of: "publisher"), count: 2)
        publisher.copies[0].started(100)
        #expect(try await reference.value == 2)
        #expect(await trial.stop() == nil)
        publisher.copies[1].started(100)
        #expect(reference.current == nil)
    }

    @Test("an abandoned copy that runs on publishes nothing any more")
    func abandonedCopy() async throws {
        let reference = ChildReference<Int>()
        let publisher = PublishingProbe(
            "hung",
            publishing: reference,
            start: .publishing(1),
            ignoresStop: true
        )
        let trial = SupervisorTrial(
            Supervisor { publisher }
        )
        try await trial.started()
        let terminate = begun { try await trial.supervisor.terminateChild("hung") }
        try await trial.story.wait(forBeginOf: .stop(of: "hung"))
        trial.clock.advance(by: .seconds(5))
        #expect(await terminate.outcome == "childrenAbandoned")
        #expect(await begun { try await reference.value }.outcome == "childGone")
        publisher.copies[0].started(2)
        #expect(reference.current == nil)
        publisher.finish()
        try await trial.story.wait(for: "hung stopped")
        #expect(await trial.stop() == nil)
    }

    @Test("a value is of the type that was published, and a new run of the tree publishes anew")
    func typedAndRunAgain() async throws {
        struct Pool: Sendable, Equatable { var size: Int }
        let pool = ChildReference<Pool>()
        let supervisor = Supervisor {
            ChildSpec("pool", publishing: pool) { child in
                child.started(Pool(size: 8))
                await child.shutdownRequested()
            }
        }
        for _ in 1...2 {
            let trial = SupervisorTrial(supervisor)
            try await trial.started()
            #expect(try await pool.value.size == 8)
            #expect(await trial.stop() == nil)
            #expect(await begun { try await pool.value }.outcome == "childGone")
        }
    }

    @Test("one reference belongs to one child")
    func shared() async {
        let reference = ChildReference<Int>()
        let child = { (id: String) in
            ChildSpec(id, publishing: reference) { child in child.started(1) }
        }
        let trial = SupervisorTrial(
            Supervisor {
                child("a"); child("b")
            }
        )
        #expect(
            await trial.end()?.details == [
                "child \"b\" publishes through a reference that another child has: make one for each"
            ]
        )
    }
}
