import Supervision
import SupervisionTesting
import Testing

@Suite("Supervisor: significant children")
struct SupervisorAutoShutdownTests {
    @Test(
        "any: the end of one significant child stops the others in reverse, and run() returns",
        arguments: [Restart.transient, .temporary]
    )
    func anySignificant(restart: Restart) async throws {
        let work = Probe("work", restart: restart)
        let trial = SupervisorTrial(
            Supervisor(autoShutdown: .anySignificant) {
                Probe("a")
                work.significant()
                Probe("other", restart: .transient).significant()
            }
        )
        try await trial.started()
        work.finish()
        #expect(await trial.end() == nil)
        #expect(
            trial.story.lines(from: "work returned") == [
                "work returned", "supervisor stopping: work has ended, and it is significant",
                "other stopping", "other stopped", "a stopping", "a stopped", "supervisor stopped",
            ]
        )
    }

    @Test("all: the supervisor ends with the last of its significant children")
    func allSignificant() async throws {
        let (first, second) = (Probe("first", restart: .transient), Probe("second", restart: .temporary))
        let trial = SupervisorTrial(
            Supervisor(autoShutdown: .allSignificant) {
                first.significant()
                Probe("helper")
                second.significant()
            }
        )
        try await trial.started()
        second.fail()
        try await trial.story.wait(for: "second failed: failed by the test")
        #expect(try await trial.children() == ["first running", "helper running"])
        first.finish()
        #expect(await trial.end() == nil)
        try trial.story.expect("helper stopped", times: 1)
    }

    @Test("a significant child that fails and is started again has not ended")
    func restarted() async throws {
        let work = Probe("work", restart: .transient)
        let trial = SupervisorTrial(Supervisor(autoShutdown: .anySignificant) { work.significant() })
        try await trial.started()
        work.fail()
        await work.wait(for: .started, count: 2)
        #expect(try await trial.children() == ["work running"])
        work.finish()
        #expect(await trial.end() == nil)
    }

    @Test(
        "the end of a child that is not significant ends nothing",
        arguments: [AutoShutdown.anySignificant, .allSignificant]
    )
    func bystander(autoShutdown: AutoShutdown) async throws {
        let bystander = Probe("bystander", restart: .temporary)
        let trial = SupervisorTrial(
            Supervisor(autoShutdown: autoShutdown) {
                bystander
                Probe("work", restart: .transient).significant()
            }
        )
        try await trial.started()
        bystander.finish()
        try await trial.story.wait(for: "bystander returned")
        #expect(try await trial.children() == ["work running"])
        #expect(await trial.stop() == nil)
    }

    @Test("being terminated, or stopped by a strategy, is not an end of one's own")
    func notItsOwnEnd() async throws {
        let bad = Probe("bad")
        let trial = SupervisorTrial(
            Supervisor(strategy: .oneForAll, autoShutdown: .anySignificant) {
                bad
                Probe("work", restart: .transient).significant()
                Probe("passing", restart: .temporary).significant()
            }
        )
        try await trial.started()
        bad.fail()
        try await trial.story.wait(for: .start(of: "work"), count: 2)
        try await trial.supervisor.terminateChild("work")
        #expect(try await trial.children() == ["bad running", "work terminated"])
        #expect(await trial.stop() == nil)
    }

    @Test(
        "a nested supervisor that ends with its work: a transient one is done, a permanent one starts again"
    )
    func nested() async throws {
        let (once, again) = (Probe("work", restart: .transient), Probe("work", restart: .transient))
        let trial = SupervisorTrial(
            Supervisor {
                Supervisor("once", autoShutdown: .anySignificant, restart: .transient) {
                    Probe("helper"); once.significant()
                }
                Supervisor("again", autoShutdown: .anySignificant) { again.significant() }
            }
        )
        try await trial.started()
        once.finish()
        again.finish()
        try await trial.story.wait(for: "once returned")
        await again.wait(for: .started, count: 2)
        try await trial.story.wait(for: .start(of: "again"), count: 2)
        #expect(try await trial.children() == ["once done", "again running"])
        #expect(await trial.stop() == nil)
    }

    @Test("significance goes up: a significant supervisor's end is that of its parent")
    func escalates() async throws {
        let work = Probe("work", restart: .transient)
        let trial = SupervisorTrial(
            Supervisor(autoShutdown: .anySignificant) {
                Supervisor("inner", autoShutdown: .anySignificant, restart: .transient) {
                    work.significant()
                }
                .significant()
            }
        )
        try await trial.started()
        work.finish()
        #expect(await trial.end() == nil)
        #expect(trial.story.lines.last == "supervisor stopped")
    }

    @Test("a significant child that is given up ends its supervisor as a failure")
    func givenUp() async throws {
        let work = Probe("work", restart: .transient)
        let trial = SupervisorTrial(
            Supervisor(autoShutdown: .anySignificant) {
                work.significant().limit(maxRestarts: 0, within: .seconds(1))
            }
        )
        try await trial.started()
        work.fail(InjectedFailure("bad sector"))
        let error = await trial.end()
        #expect(error?.code == .gaveUp)
        #expect(error?.path == ["work"])
        #expect(error?.underlying as? InjectedFailure == InjectedFailure("bad sector"))
    }

    @Test("a significant child added later counts like the others")
    func added() async throws {
        let added = Probe("added", restart: .temporary)
        let trial = SupervisorTrial(
            Supervisor(autoShutdown: .anySignificant) {
                Probe("work", restart: .transient).significant()
            }
        )
        try await trial.started()
        try await trial.supervisor.startChild(added.significant())
        added.finish()
        #expect(await trial.end() == nil)
    }

    @Test("what makes no sense is refused, in a tree and in a call")
    func invalid() async throws {
        let trial = SupervisorTrial(
            Supervisor {
                Probe("a", restart: .transient).significant()
                Supervisor("inner", autoShutdown: .allSignificant) { Probe("b").significant() }
                Supervisor("none", autoShutdown: .anySignificant) { Probe("c") }
            }
        )
        let error = await trial.end()
        #expect(error?.code == .invalidTree)
        #expect(
            error?.details == [
                "child \"a\" is significant, but its supervisor never ends by itself: give it an autoShutdown",
                "child \"inner/b\" is significant and permanent: a permanent child never ends for good",
                "supervisor \"none\" ends by itself with its significant children, but none is: "
                    + "mark one with significant()",
            ]
        )

        let running = SupervisorTrial(Supervisor {})
        try await running.started()
        #expect(
            await code {
                try await running.supervisor.startChild(Probe("a", restart: .transient).significant())
            } == .invalidTree
        )
        #expect(await running.stop() == nil)
    }
}
