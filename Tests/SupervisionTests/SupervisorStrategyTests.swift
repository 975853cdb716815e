import Supervision
import SupervisionTesting
import Testing

@Suite("Supervisor: strategies")
struct SupervisorStrategyTests {
    /// Three children, one of which fails, and the rest of what happened.
    private func failure(
        of failing: Int,
        under strategy: Strategy
    ) async throws -> (lines: [String], restarts: [Int]) {
        let probes = ["a", "b", "c"].map { Probe($0) }
        let trial = SupervisorTrial(Supervisor(strategy: strategy) { probes })
        try await trial.started()
        probes[failing].fail()
        let last = strategy == .oneForOne ? failing : 2
        await probes[last].wait(for: .started, count: 2)
        let restarts = try await trial.supervisor.whichChildren().map(\.restarts)
        let id = ["a", "b", "c"][failing]
        let lines = trial.story.lines(from: "\(id) restarting, 1 time so far").dropFirst()
        #expect(await trial.stop() == nil)
        return (Array(lines), restarts)
    }

    private func down(_ ids: [String]) -> [String] {
        ids.flatMap { ["\($0) stopping", "\($0) stopped"] }
    }

    private func up(_ ids: [String]) -> [String] {
        ids.flatMap { ["\($0) starting", "\($0) started"] }
    }

    @Test("one for one: only the failed child is restarted, wherever it stands", arguments: 0...2)
    func oneForOne(failing: Int) async throws {
        let (lines, restarts) = try await failure(of: failing, under: .oneForOne)
        let id = ["a", "b", "c"][failing]
        #expect(lines == ["\(id) starting", "\(id) started"])
        #expect(restarts.reduce(0, +) == 1 && restarts[failing] == 1)
    }

    @Test("one for all: all are restarted, in order, wherever the failed one stands", arguments: 0...2)
    func oneForAll(failing: Int) async throws {
        let (lines, restarts) = try await failure(of: failing, under: .oneForAll)
        let others = [2, 1, 0].filter { $0 != failing }.map { ["a", "b", "c"][$0] }
        #expect(lines == down(others) + up(["a", "b", "c"]))
        #expect(restarts == [1, 1, 1])
    }

    @Test("rest for one: the failed one and those below it are restarted, in order", arguments: 0...2)
    func restForOne(failing: Int) async throws {
        let (lines, restarts) = try await failure(of: failing, under: .restForOne)
        let rest = Array(["a", "b", "c"][failing...])
        #expect(lines == down(rest.dropFirst().reversed()) + up(rest))
        #expect(restarts == [0, 1, 2].map { $0 < failing ? 0 : 1 })
    }

    @Test(
        "one restart too many is escalated: the others are stopped in reverse",
        arguments: Strategy.allCases
    )
    func escalation(strategy: Strategy) async throws {
        let probes = ["a", "b", "c"].map { Probe($0) }
        let trial = SupervisorTrial(
            Supervisor(
                strategy: strategy,
                intensity: .init(maxRestarts: 4, within: .seconds(3600))
            ) { probes }
        )
        try await trial.started()
        let last = strategy == .oneForOne ? probes[1] : probes[2]
        for count in 2...5 {
            probes[1].fail()
            await last.wait(for: .started, count: count)
        }
        probes[1].fail(InjectedFailure("the fifth"))
        let error = await trial.end()
        #expect(error?.code == .gaveUp)
        #expect(error?.path == ["b"])
        #expect(error?.underlying as? InjectedFailure == InjectedFailure("the fifth"))
        #expect(
            trial.story.lines(from: "b failed: the fifth") == [
                "b failed: the fifth",
                "supervisor stopping: gave up on b, more than 4 restarts within 3600.0 seconds: the fifth",
                "c stopping", "c stopped", "a stopping", "a stopped", "supervisor stopped",
            ]
        )
    }

    @Test(
        "what a strategy restarts together counts once",
        arguments: [Strategy.oneForAll, .restForOne]
    )
    func countsOnce(strategy: Strategy) async throws {
        let probes = (0..<10).map { Probe("\($0)") }
        let trial = SupervisorTrial(
            Supervisor(
                strategy: strategy,
                intensity: .init(maxRestarts: 3, within: .seconds(1))
            ) { probes }
        )
        try await trial.started()
        for count in 2...4 {
            probes[0].fail()
            await probes[9].wait(for: .started, count: count)
        }
        probes[9].fail()
        #expect(await trial.end()?.path == ["9"])
    }

    @Test(
        "a sibling that fails to start in a strategy's restart is tried again, then all are up",
        arguments: [Strategy.oneForAll, .restForOne]
    )
    func otherFailsToRestart(strategy: Strategy) async throws {
        let (a, b, c) = (Probe("a"), Probe("b"), Probe("c"))
        let trial = SupervisorTrial(
            Supervisor(strategy: strategy) {
                a; b; c
            }
        )
        try await trial.started()
        b.nextStart(.whenTold)
        a.fail()
        await b.wait(for: .begun, count: 2)
        b.nextStart(.atOnce)
        b.fail(InjectedFailure("not yet"))
        await c.wait(for: .started, count: 2)
        #expect(try await trial.children() == ["a running", "b running", "c running"])
        let starts = { (probe: Probe) in probe.facts.count { $0 == .started } }
        #expect(starts(a) == (strategy == .oneForAll ? 3 : 2), "one for all begins again from the top")
        #expect((starts(b), starts(c)) == (2, 2))
        #expect(await trial.stop() == nil)
    }

    @Test(
        "two children that fail at the same time are both up again afterwards",
        arguments: Strategy.allCases
    )
    func failTogether(strategy: Strategy) async throws {
        let (a, b, c) = (Probe("a"), Probe("b"), Probe("c"))
        let trial = SupervisorTrial(
            Supervisor(strategy: strategy) {
                a; b; c
            }
        )
        try await trial.started()
        b.fail()
        a.fail()
        await b.wait(for: .started, count: 2)
        await a.wait(for: .started, count: 2)
        // Its turn comes when the strategies have been applied.
        #expect(try await trial.children() == ["a running", "b running", "c running"])
        #expect(await trial.stop() == nil)
    }

    @Test(
        "a temporary bystander is stopped with the others, does not come back, and is forgotten",
        arguments: [Strategy.oneForAll, .restForOne]
    )
    func temporaryBystander(strategy: Strategy) async throws {
        let (a, b) = (Probe("a"), Probe("b", restart: .temporary))
        let trial = SupervisorTrial(
            Supervisor(strategy: strategy) {
                a; b; Probe("c")
            }
        )
        try await trial.started()
        a.fail()
        try await trial.story.wait(for: .start(of: "c"), count: 2)
        #expect(try await trial.children() == ["a running", "c running"])
        try trial.story.expect("b dropped, a temporary child does not come back", times: 1)
        #expect(b.facts.count { $0 == .begun } == 1)
        #expect(await trial.stop() == nil)
    }

    @Test("one for all: a transient child that had done its work is started again with the others")
    func doneIsStartedAgain() async throws {
        let (a, done) = (Probe("a"), Probe("done", restart: .transient))
        let trial = SupervisorTrial(
            Supervisor(strategy: .oneForAll) {
                a; done
            }
        )
        try await trial.started()
        done.finish()
        try await trial.story.wait(for: "done returned")
        a.fail()
        await done.wait(for: .started, count: 2)
        #expect(await trial.stop() == nil)
    }

    @Test(
        "a terminated child stays down through its siblings' restarts",
        arguments: [Strategy.oneForAll, .restForOne]
    )
    func terminatedStaysDown(strategy: Strategy) async throws {
        let (a, b, c) = (Probe("a"), Probe("b"), Probe("c"))
        let trial = SupervisorTrial(
            Supervisor(strategy: strategy) {
                a; b; c
            }
        )
        try await trial.started()
        try await trial.supervisor.terminateChild("b")
        a.fail()
        await c.wait(for: .started, count: 2)
        #expect(try await trial.children() == ["a running", "b terminated", "c running"])
        #expect(try await trial.supervisor.restartChild("b") == .started)
        a.fail()
        await c.wait(for: .started, count: 3)
        #expect(b.facts.count { $0 == .started } == 3)
        #expect(await trial.stop() == nil)
    }

    @Test("a tree of supervisors: a failure goes up only as far as it must, and the rest is left alone")
    func tree() async throws {
        let never = RestartIntensity(maxRestarts: 0, within: .seconds(1))
        let (leaf, sibling, other, outer) = (Probe("leaf"), Probe("sibling"), Probe("other"), Probe("outer"))
        let trial = SupervisorTrial(
            Supervisor {
                outer
                Supervisor("left") {
                    Supervisor("deep", strategy: .oneForAll, intensity: never) {
                        leaf; sibling
                    }
                }
                Supervisor("right") { other }
            }
        )
        try await trial.started()
        leaf.fail()
        await sibling.wait(for: .started, count: 2)
        #expect(leaf.facts.count { $0 == .started } == 2)
        #expect(other.facts == [.begun, .started])
        #expect(outer.facts == [.begun, .started])
        try trial.story.expect("left/deep restarting, 1 time so far", times: 1)
        try trial.story.expect("left restarting, 1 time so far", times: 0)
        #expect(await trial.stop() == nil)
    }

    @Test("a nested supervisor is restarted as a whole by its parent's strategy, in its place")
    func nestedRestart() async throws {
        let (bad, leaf, last) = (Probe("bad"), Probe("leaf"), Probe("last"))
        let trial = SupervisorTrial(
            Supervisor(strategy: .restForOne) {
                bad
                Supervisor("inner") { leaf }
                last
            }
        )
        try await trial.started()
        bad.fail()
        await last.wait(for: .started, count: 2)
        #expect(
            trial.story.lines(from: "bad restarting, 1 time so far").dropFirst().prefix(16) == [
                "last stopping", "last stopped",
                "inner stopping", "supervisor inner stopping: requested", "inner/leaf stopping",
                "inner/leaf stopped", "supervisor inner stopped", "inner stopped",
                "bad starting", "bad started",
                "inner starting", "supervisor inner starting", "inner/leaf starting", "inner/leaf started",
                "supervisor inner started", "inner started",
            ]
        )
        #expect(await trial.stop() == nil)
    }
}
