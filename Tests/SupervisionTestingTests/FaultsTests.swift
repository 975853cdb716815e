import Supervision
import SupervisionTesting
import Testing

@Suite("Faults")
struct FaultsTests {
    /// A tree of somebody else, whose children know nothing of tests.
    private func tree(restart: Restart = .permanent, shutdown: Shutdown = .timeout(.seconds(5))) -> Supervisor
    {
        Supervisor {
            ChildSpec("database", restart: restart, shutdown: shutdown) { child in
                child.started()
                await child.shutdownRequested()
            }
            ChildSpec("web") { try await Gate().waitUnlessCancelled() }
        }
    }

    @Test("a child fails now, and is restarted by its rule")
    func failNow() async throws {
        let trial = SupervisorTrial(tree())
        try await trial.started()
        try trial.faults.fail("database")
        try await trial.story.wait(for: .start(of: "database"), count: 2)
        try trial.story.expect("database failed: failed by the test", times: 1)
        try trial.story.expect(.failure(of: "web"), times: 0)
        #expect(await trial.stop() == nil)
        try await trial.expectNothingLeft()
    }

    @Test("one that does not run cannot fail; the error says what runs")
    func notRunning() async throws {
        let trial = SupervisorTrial(tree())
        try await trial.started()
        #expect(
            await failure { try trial.faults.fail("databse") }
                == "databse does not run; what runs is database, web"
        )
        await trial.stop()
        #expect(await failure { try trial.faults.fail("web") } == "web does not run; what runs is nothing")
    }

    @Test("the next starts of a child fail, and the one after them does not")
    func failNextStart() async throws {
        let trial = SupervisorTrial(tree())
        try await trial.started()
        trial.faults.failNextStart(of: "web", with: InjectedFailure("no route"), times: 2)
        try trial.faults.fail("web")
        try await trial.story.wait(for: .start(of: "web"), count: 2)
        try trial.story.expect("web failed: no route", times: 2)
        #expect(await trial.stop() == nil)
    }

    @Test("a first start that fails is the failure of the tree")
    func failFirstStart() async throws {
        let faults = Faults()
        faults.failNextStart(of: "web")
        let error = await SupervisorTrial(tree(), faults: faults).end()
        #expect(error?.code == .childFailedToStart)
        #expect(error?.path == "web")
    }

    @Test("a stop that hangs is cancelled, then abandoned, by the child's own limits")
    func hangStop() async throws {
        let trial = SupervisorTrial(tree(shutdown: .graceful(.seconds(30))))
        try await trial.started()
        trial.faults.hangStop(of: "database")
        trial.supervisor.stop()
        try await trial.story.wait(forBeginOf: .stop(of: "database"))
        trial.clock.advance(by: .seconds(30))
        try await trial.story.wait(for: .cancellation(of: "database"))
        trial.faults.release("database")
        #expect(await trial.end() == nil)
        try await trial.expectNothingLeft()
    }

    @Test("what hangs when the run is over is let go")
    func letGo() async throws {
        let trial = SupervisorTrial(tree())
        try await trial.started()
        trial.faults.hangStop(of: "database")
        trial.supervisor.stop()
        try await trial.story.wait(forBeginOf: .stop(of: "database"))
        trial.clock.advance(by: .seconds(5))
        let error = await trial.end()
        #expect(error?.abandoned == ["database"])
        try await trial.expectNothingLeft()
    }

    @Test("a task that a child leaves behind is found, by the child's name")
    func leftTask() async throws {
        let gate = Gate()
        let trial = SupervisorTrial(
            Supervisor {
                ChildSpec("tidy") { try await Gate().waitUnlessCancelled() }
                ChildSpec("leaky") { child in
                    Task { await gate.wait() }
                    child.started()
                    await child.shutdownRequested()
                }
            }
        )
        try await trial.started()
        await trial.stop()
        #expect(await failure { try await trial.expectNothingLeft() } == "leaky has left a task running")
        gate.open()
        try await trial.expectNothingLeft()
    }

    @Test("a supervisor in the tree fails as a whole, in order")
    func nested() async throws {
        let trial = SupervisorTrial(
            Supervisor {
                Supervisor("web") {
                    Probe("http"); Probe("pages")
                }
            }
        )
        try await trial.started()
        try trial.faults.fail("web")
        try await trial.story.wait(for: .start(of: "web/pages"), count: 2)
        try trial.story.expect(.stop(of: "web/pages"), before: .stop(of: "web/http"))
        #expect(await trial.stop() == nil)
    }
}
