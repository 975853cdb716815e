import Supervision
import SupervisionTesting
import Testing

/// A child that cannot be restarted, under a supervisor that puts up with that for ever.
@Suite("Supervisor: restarts that fail again and again")
struct SupervisorRestartLoopTests {
    /// A supervisor in which a child fails to start, over and over again.
    private func loop(_ strategy: Strategy) async throws -> (trial: SupervisorTrial, failing: Probe) {
        let failing = Probe("failing")
        let trial = SupervisorTrial(
            Supervisor(strategy: strategy, intensity: .unlimited) {
                Probe("first")
                failing
                Probe("last")
            }
        )
        try await trial.started()
        failing.nextStart(.failing(InjectedFailure("no disk")))
        failing.fail()
        try await trial.story.wait(for: "failing failed: no disk", count: 3)
        return (trial, failing)
    }

    @Test("a stop is honoured in between", arguments: Strategy.allCases)
    func stop(strategy: Strategy) async throws {
        let (trial, _) = try await loop(strategy)
        #expect(await trial.stop() == nil)
        #expect(trial.story.lines.last == "supervisor stopped")
    }

    @Test("a cancellation is honoured in between", arguments: Strategy.allCases)
    func cancellation(strategy: Strategy) async throws {
        let (trial, _) = try await loop(strategy)
        trial.cancel()
        #expect(await trial.end() == nil)
    }

    @Test("calls are served in between, and what they say of the child is true", arguments: Strategy.allCases)
    func calls(strategy: Strategy) async throws {
        let (trial, _) = try await loop(strategy)
        let supervisor = trial.supervisor
        #expect(try await supervisor.countChildren().specs == 3)
        #expect(try await supervisor.whichChildren().map(\.id) == ["first", "failing", "last"])
        #expect(await code { try await supervisor.startChild(Probe("failing")) } == .alreadyStarted)
        #expect(await code { try await supervisor.restartChild("failing") } == .childRestarting)
        #expect(await code { try await supervisor.deleteChild("failing") } == .childRestarting)
        #expect(await trial.stop() == nil)
    }

    @Test(
        "the child can be terminated, and what waited for it comes back without it",
        arguments: Strategy.allCases
    )
    func terminate(strategy: Strategy) async throws {
        let (trial, failing) = try await loop(strategy)
        try await trial.supervisor.terminateChild("failing")
        #expect(try await trial.children() == ["first running", "failing terminated", "last running"])
        failing.nextStart(.atOnce)
        #expect(try await trial.supervisor.restartChild("failing") == .started)
        #expect(await trial.stop() == nil)
    }

    @Test("a child that can start at last ends the loop", arguments: Strategy.allCases)
    func recovers(strategy: Strategy) async throws {
        let (trial, failing) = try await loop(strategy)
        failing.nextStart(.atOnce)
        await failing.wait(for: .started, count: 2)
        #expect(try await trial.children() == ["first running", "failing running", "last running"])
        #expect(await trial.stop() == nil)
    }

    @Test("a nested supervisor that cannot start again: its parent serves calls and stops in between")
    func nested() async throws {
        let leaf = Probe("leaf")
        let trial = SupervisorTrial(
            Supervisor(intensity: .unlimited) {
                Supervisor("inner", intensity: .init(maxRestarts: 0, within: .seconds(1))) { leaf }
                Probe("last")
            }
        )
        try await trial.started()
        leaf.nextStart(.failing(InjectedFailure("no disk")))
        leaf.fail()
        try await trial.story.wait(
            for: "inner failed: child \"inner/leaf\" failed to start: no disk",
            count: 3
        )
        #expect(try await trial.supervisor.countChildren().specs == 2)
        #expect(await trial.stop() == nil)
    }
}
