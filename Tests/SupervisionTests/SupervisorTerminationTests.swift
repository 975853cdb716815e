import Supervision
import SupervisionTesting
import Testing

@Suite("Supervisor: a child ends by itself")
struct SupervisorTerminationTests {
    /// How a child can end by itself.
    enum Ending: CaseIterable {
        case returns, throwsError, throwsCancellation

        var line: String {
            switch self {
            case .returns: "child returned"
            case .throwsError: "child failed: failed by the test"
            case .throwsCancellation: "child failed: CancellationError()"
            }
        }

        func end(_ probe: Probe) {
            switch self {
            case .returns: probe.finish()
            case .throwsError: probe.fail()
            case .throwsCancellation: probe.fail(CancellationError())
            }
        }
    }

    @Test(
        "a permanent child is started again however it ended, under every strategy",
        arguments: Ending.allCases,
        Strategy.allCases
    )
    func permanent(ending: Ending, strategy: Strategy) async throws {
        let probe = Probe("child")
        let trial = SupervisorTrial(Supervisor(strategy: strategy) { probe })
        try await trial.started()
        ending.end(probe)
        await probe.wait(for: .started, count: 2)
        try trial.story.expect(.line(ending.line), times: 1)
        #expect(try await trial.children() == ["child running"])
        #expect(try await trial.supervisor.whichChild("child").restarts == 1)
        #expect(await trial.stop() == nil)
    }

    @Test(
        "a transient child is started again when it threw, under every strategy",
        arguments: [Ending.throwsError, .throwsCancellation],
        Strategy.allCases
    )
    func transientThrows(ending: Ending, strategy: Strategy) async throws {
        let probe = Probe("child", restart: .transient)
        let trial = SupervisorTrial(Supervisor(strategy: strategy) { probe })
        try await trial.started()
        ending.end(probe)
        await probe.wait(for: .started, count: 2)
        #expect(try await trial.children() == ["child running"])
        #expect(await trial.stop() == nil)
    }

    @Test(
        "a transient child that returns stays in the list, done, and nobody else is touched",
        arguments: Strategy.allCases
    )
    func transientReturns(strategy: Strategy) async throws {
        let (probe, sibling) = (Probe("child", restart: .transient), Probe("sibling"))
        let trial = SupervisorTrial(
            Supervisor(strategy: strategy) {
                probe; sibling
            }
        )
        try await trial.started()
        probe.finish()
        try await trial.story.wait(for: "child returned")
        #expect(try await trial.children() == ["child done", "sibling running"])
        #expect(sibling.facts == [.begun, .started])
        #expect(try await trial.supervisor.restartChild("child") == .started)
        #expect(await trial.stop() == nil)
    }

    @Test(
        "a temporary child is never started again, is forgotten, and nobody else is touched",
        arguments: Ending.allCases,
        Strategy.allCases
    )
    func temporary(ending: Ending, strategy: Strategy) async throws {
        let (probe, sibling) = (Probe("child", restart: .temporary), Probe("sibling"))
        let trial = SupervisorTrial(
            Supervisor(strategy: strategy, intensity: .init(maxRestarts: 0, within: .seconds(1))) {
                probe; sibling
            }
        )
        try await trial.started()
        ending.end(probe)
        try await trial.story.wait(for: .line(ending.line))
        #expect(try await trial.children() == ["sibling running"])
        #expect(probe.facts.count { $0 == .begun } == 1)
        #expect(sibling.facts == [.begun, .started])
        #expect(await trial.stop() == nil)
    }

    @Test("an end that needs no restart is not counted")
    func notCounted() async throws {
        let none = RestartIntensity(maxRestarts: 0, within: .seconds(1))
        let probes = (0..<5).map { Probe("\($0)", restart: $0 % 2 == 0 ? .transient : .temporary) }
        let trial = SupervisorTrial(Supervisor(intensity: none) { probes })
        try await trial.started()
        for probe in probes { probe.finish() }
        for number in 0..<5 { try await trial.story.wait(for: "\(number) returned") }
        #expect(try await trial.children() == ["0 done", "2 done", "4 done"])
        #expect(await trial.stop() == nil)
    }

    @Test("a supervisor whose children have all ended runs on")
    func runsOnEmpty() async throws {
        let probe = Probe("child", restart: .temporary)
        let trial = SupervisorTrial(Supervisor { probe })
        try await trial.started()
        probe.finish()
        try await trial.story.wait(for: "child returned")
        #expect(try await trial.supervisor.startChild(Probe("next")) == .started)
        #expect(await trial.stop() == nil)
    }

    @Test("many restarts, each well within the intensity, of several children at the same time")
    func multipleRestarts() async throws {
        let probes = (0..<3).map { Probe("\($0)") }
        let trial = SupervisorTrial(
            Supervisor(intensity: .init(maxRestarts: 300, within: .seconds(1))) { probes }
        )
        try await trial.started()
        await withTaskGroup(of: Void.self) { group in
            for probe in probes {
                group.addTask {
                    for count in 1...100 {
                        await probe.wait(for: .started, count: count)
                        probe.fail()
                    }
                    await probe.wait(for: .started, count: 101)
                }
            }
        }
        #expect(await trial.stop() == nil)
        for number in 0..<3 {
            try trial.story.expect("\(number) failed: failed by the test", times: 100)
        }
    }
}
