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
        let trial = Trial(Supervisor(strategy: strategy) { probes })
        await trial.up()
        probes[failing].fail(Failure())
        let last = strategy == .oneForOne ? failing : 2
        await probes[last].wait(for: .started, count: 2)
        let restarts = try await trial.supervisor.whichChildren().map(\.restarts)
        let id = ["a", "b", "c"][failing]
        let lines = trial.lines(from: "\(id) restarting, 1 time so far").dropFirst()
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
    func escalation(strategy: Strategy) async {
        let probes = ["a", "b", "c"].map { Probe($0) }
        let trial = Trial(
            Supervisor(
                strategy: strategy,
                intensity: .init(maxRestarts: 4, within: .seconds(3600)),
                clock: TestClock()
            ) { probes }
        )
        await trial.up()
        let last = strategy == .oneForOne ? probes[1] : probes[2]
        for count in 2...5 {
            probes[1].fail(Failure())
            await last.wait(for: .started, count: count)
        }
        probes[1].fail(Failure("the fifth"))
        let error = await trial.error()
        #expect(error?.code == .gaveUp)
        #expect(error?.path == ["b"])
        #expect(error?.underlying as? Failure == Failure("the fifth"))
        #expect(
            trial.lines(from: "b failed: the fifth") == [
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
    func countsOnce(strategy: Strategy) async {
        let probes = (0..<10).map { Probe("\($0)") }
        let trial = Trial(
            Supervisor(
                strategy: strategy,
                intensity: .init(maxRestarts: 3, within: .seconds(1)),
                clock: TestClock()
            ) { probes }
        )
        await trial.up()
        for count in 2...4 {
            probes[0].fail(Failure())
            await probes[9].wait(for: .started, count: count)
        }
        probes[9].fail(Failure())
        #expect(await trial.error()?.path == ["9"])
    }

    @Test(
        "a sibling that fails to start in a strategy's restart is tried again, then all are up",
        arguments: [Strategy.oneForAll, .restForOne]
    )
    func otherFailsToRestart(strategy: Strategy) async throws {
        let (a, b, c) = (Probe("a"), Probe("b"), Probe("c"))
        let trial = Trial(
            Supervisor(strategy: strategy) {
                a; b; c
            }
        )
        await trial.up()
        b.nextStart(.whenTold)
        a.fail(Failure())
        await b.wait(for: .begun, count: 2)
        b.nextStart(.atOnce)
        b.fail(Failure("not yet"))
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
        let trial = Trial(
            Supervisor(strategy: strategy) {
                a; b; c
            }
        )
        await trial.up()
        b.fail(Failure())
        a.fail(Failure())
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
        let trial = Trial(
            Supervisor(strategy: strategy) {
                a; b; Probe("c")
            }
        )
        await trial.up()
        a.fail(Failure())
        await trial.recorder.wait(for: "c started", count: 2)
        #expect(try await trial.children() == ["a running", "c running"])
        #expect(trial.recorder.lines.contains("b dropped, a temporary child does not come back"))
        #expect(b.facts.count { $0 == .begun } == 1)
        #expect(await trial.stop() == nil)
    }

    @Test("one for all: a transient child that had done its work is started again with the others")
    func doneIsStartedAgain() async throws {
        let (a, done) = (Probe("a"), Probe("done", restart: .transient))
        let trial = Trial(
            Supervisor(strategy: .oneForAll) {
                a; done
            }
        )
        await trial.up()
        done.finish()
        await trial.recorder.wait(for: "done returned")
        a.fail(Failure())
        await done.wait(for: .started, count: 2)
        #expect(await trial.stop() == nil)
    }

    @Test(
        "a terminated child stays down through its siblings' restarts",
        arguments: [Strategy.oneForAll, .restForOne]
    )
    func terminatedStaysDown(strategy: Strategy) async throws {
        let (a, b, c) = (Probe("a"), Probe("b"), Probe("c"))
        let trial = Trial(
            Supervisor(strategy: strategy) {
                a; b; c
            }
        )
        await trial.up()
        try await trial.supervisor.terminateChild("b")
        a.fail(Failure())
        await c.wait(for: .started, count: 2)
        #expect(try await trial.children() == ["a running", "b terminated", "c running"])
        #expect(try await trial.supervisor.restartChild("b") == .started)
        a.fail(Failure())
        await c.wait(for: .started, count: 3)
        #expect(b.facts.count { $0 == .started } == 3)
        #expect(await trial.stop() == nil)
    }

    @Test("a tree of supervisors: a failure goes up only as far as it must, and the rest is left alone")
    func tree() async {
        let never = RestartIntensity(maxRestarts: 0, within: .seconds(1))
        let (leaf, sibling, other, outer) = (Probe("leaf"), Probe("sibling"), Probe("other"), Probe("outer"))
        let trial = Trial(
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
        await trial.up()
        leaf.fail(Failure())
        await sibling.wait(for: .started, count: 2)
        #expect(leaf.facts.count { $0 == .started } == 2)
        #expect(other.facts == [.begun, .started])
        #expect(outer.facts == [.begun, .started])
        #expect(trial.recorder.lines.contains("left/deep restarting, 1 time so far"))
        #expect(!trial.recorder.lines.contains("left restarting, 1 time so far"))
        #expect(await trial.stop() == nil)
    }

    @Test("a nested supervisor is restarted as a whole by its parent's strategy, in its place")
    func nestedRestart() async {
        let (bad, leaf, last) = (Probe("bad"), Probe("leaf"), Probe("last"))
        let trial = Trial(
            Supervisor(strategy: .restForOne) {
                bad
                Supervisor("inner") { leaf }
                last
            }
        )
        await trial.up()
        bad.fail(Failure())
        await last.wait(for: .started, count: 2)
        #expect(
            trial.lines(from: "bad restarting, 1 time so far").dropFirst().prefix(16) == [
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
