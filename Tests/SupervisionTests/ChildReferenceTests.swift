import Supervision
import SupervisionLock
import SupervisionTesting
import Testing

@Suite("Child reference: while the child comes and goes")
struct ChildReferenceTests {
    @Test("reading before the child has started waits for what it publishes")
    func before() async throws {
        let publisher = Publisher()
        let reference = publisher.reference
        let early = begun { try await reference.value }
        #expect(reference.current == nil)
        let trial = Trial(Supervisor { publisher })
        let starting = begun { try await reference.value }
        publisher.publish(1)
        #expect(await early.outcome == "1")
        #expect(await starting.outcome == "1")
        await trial.up()
        #expect(try await reference.value == 1)
        #expect(reference.current == 1)
        #expect(await trial.stop() == nil)
    }

    @Test("publishing is having started: the children below are started then")
    func publishingStarts() async {
        let publisher = Publisher()
        let below = Probe("below")
        let trial = Trial(
            Supervisor {
                publisher; below
            }
        )
        await trial.recorder.wait(for: "publisher starting")
        #expect(await trial.supervisor.ping())
        #expect(below.facts == [])
        publisher.publish(1)
        await below.wait(for: .started)
        #expect(await trial.stop() == nil)
    }

    @Test("a later value replaces the one before")
    func replaced() async throws {
        let publisher = Publisher()
        let trial = Trial(Supervisor { publisher })
        publisher.publish(1)
        await trial.up()
        publisher.copies[0].started(2)
        #expect(try await publisher.reference.value == 2)
        #expect(await trial.stop() == nil)
        #expect(trial.recorder.lines.count { $0 == "publisher started" } == 1)
    }

    @Test("reading while the child is restarted waits, and gives what the new copy publishes")
    func duringRestart() async throws {
        let publisher = Publisher()
        let reference = publisher.reference
        let trial = Trial(Supervisor { publisher })
        publisher.publish(1)
        await trial.up()
        publisher.fail()
        await trial.recorder.wait(for: "publisher starting", count: 2)
        #expect(reference.current == nil)
        let readers = (0..<10).map { _ in begun { try await reference.value } }
        publisher.publish(2)
        for reader in readers { #expect(await reader.outcome == "2") }
        #expect(await trial.stop() == nil)
    }

    @Test("reading while the child waits for its backoff waits with it")
    func duringBackoff() async {
        let clock = TestClock()
        let publisher = Publisher()
        let reference = publisher.reference
        let trial = Trial(Supervisor(clock: clock) { publisher.backoff(.constant(.seconds(9))) })
        publisher.publish(1)
        await trial.up()
        publisher.fail()
        await clock.sleepers(atLeast: 1)
        #expect(reference.current == nil)
        let reader = begun { try await reference.value }
        clock.advance(by: .seconds(9))
        publisher.publish(2)
        #expect(await reader.outcome == "2")
        #expect(await trial.stop() == nil)
    }

    @Test("reading while the child is down for a sibling's sake waits")
    func duringStrategy() async {
        let bad = Probe("bad")
        let publisher = Publisher()
        let reference = publisher.reference
        let trial = Trial(
            Supervisor(strategy: .oneForAll) {
                bad; publisher
            }
        )
        publisher.publish(1)
        await trial.up()
        bad.nextStart(.whenTold)
        bad.fail(Failure())
        await bad.wait(for: .begun, count: 2)
        #expect(reference.current == nil)
        let reader = begun { try await reference.value }
        bad.start()
        publisher.publish(2)
        #expect(await reader.outcome == "2")
        #expect(await trial.stop() == nil)
    }

    @Test("readers stand above, below, beside and outside of the tree")
    func readersEverywhere() async {
        let publisher = Publisher()
        let reference = publisher.reference
        let seen = Locked<[String]>([])
        let reader = { (name: String) in
            ChildSpec(name, restart: .temporary) {
                let value = try await reference.value
                seen.withLock { $0.append("\(name) \(value)") }
            }
        }
        let outside = begun { try await reference.value }
        let trial = Trial(
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
            await trial.recorder.wait(for: "\(name) returned")
        }
        #expect(seen.withLock(\.self).sorted() == ["above 1", "below 1", "beside 1"])
        #expect(await outside.outcome == "1")
        #expect(await trial.stop() == nil)
    }

    @Test("a reader whose task is cancelled goes, and the others go on waiting", arguments: [true, false])
    func cancelled(beforeReading: Bool) async {
        let publisher = Publisher()
        let reference = publisher.reference
        let patient = begun { try await reference.value }
        let gate = AsyncStream.makeStream(of: Void.self)
        let impatient = begun {
            if beforeReading { for await _ in gate.stream {} }
            return try await reference.value
        }
        impatient.cancel()
        #expect(await impatient.outcome == "cancelled")
        let trial = Trial(Supervisor { publisher })
        publisher.publish(1)
        #expect(await patient.outcome == "1")
        #expect(await trial.stop() == nil)
    }

    @Test("publishing after the copy has ended does nothing, and an older copy cannot overwrite a newer one")
    func olderCopy() async throws {
        let publisher = Publisher()
        let reference = publisher.reference
        let trial = Trial(Supervisor { publisher })
        publisher.publish(1)
        await trial.up()
        publisher.fail()
        await trial.recorder.wait(for: "publisher starting", count: 2)
        publisher.copies[0].started(100)
        #expect(reference.current == nil)
        publisher.publish(2)
        await trial.recorder.wait(for: "publisher started", count: 2)
        publisher.copies[0].started(100)
        #expect(try await reference.value == 2)
        #expect(await trial.stop() == nil)
        publisher.copies[1].started(100)
        #expect(reference.current == nil)
    }

    @Test("an abandoned copy that runs on publishes nothing any more")
    func abandonedCopy() async {
        let clock = TestClock()
        let reference = ChildReference<Int>()
        let (contexts, hold) = (
            AsyncStream.makeStream(of: PublishingContext<Int>.self), AsyncStream.makeStream(of: Void.self)
        )
        let ended = AsyncStream.makeStream(of: Void.self)
        let trial = Trial(
            Supervisor(clock: clock) {
                ChildSpec("hung", publishing: reference) { child in
                    child.started(1)
                    contexts.continuation.yield(child)
                    await Task { for await _ in hold.stream {} }.value
                    ended.continuation.finish()
                }
            }
        )
        await trial.up()
        let terminate = begun { try await trial.supervisor.terminateChild("hung") }
        await clock.sleepers(atLeast: 1)
        clock.advance(by: .seconds(5))
        #expect(await terminate.outcome == "childrenAbandoned")
        #expect(await begun { try await reference.value }.outcome == "childGone")
        for await context in contexts.stream {
            context.started(2)
            break
        }
        #expect(reference.current == nil)
        hold.continuation.finish()
        for await _ in ended.stream {}
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
            let trial = Trial(supervisor)
            await trial.up()
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
        let trial = Trial(
            Supervisor {
                child("a"); child("b")
            }
        )
        #expect(
            await trial.error()?.details == [
                "child \"b\" publishes through a reference that another child has: make one for each"
            ]
        )
    }
}
