import Supervision
import SupervisionTesting
import Testing

@Suite("What is said of a child that will not stop for a restart")
struct SupervisorLeftRunningTests {
    /// Lets `stubborn` fail once, which is mended, and then be in the way of a restart.
    private func end(_ stubborn: Probe) async throws -> (error: SupervisorError?, lines: [String]) {
        let first = Probe("first")
        let trial = SupervisorTrial(
            Supervisor(strategy: .restForOne) {
                first
                stubborn
            }
        )
        try await trial.started()
        stubborn.fail(InjectedFailure("long mended"))
        await stubborn.wait(for: .started, count: 2)
        first.fail()
        await stubborn.wait(for: .cancelled)
        trial.clock.advance(by: .seconds(5))
        let error = await trial.end()
        stubborn.finish()
        return (error, trial.story.lines)
    }

    @Test("an earlier failure of it is not the reason")
    func earlierFailure() async throws {
        let error = try await end(Probe("stubborn", ignoresStop: true)).error
        #expect(error?.code == .childrenAbandoned)
        #expect(error?.abandoned == [["stubborn"]])
        #expect(error?.underlying == nil)
    }

    @Test("the event says that it runs itself")
    func event() async throws {
        let lines = try await end(Probe("stubborn", ignoresStop: true)).lines
        #expect(lines.contains("supervisor stopping: stubborn still runs and cannot be started again"))
    }

    @Test("a child that lets the answer to its own call through has failed: it leaves nobody running itself")
    func answer() async throws {
        let hung = Probe("hung", ignoresStop: true)
        let workers = Supervisor("workers") { hung }
        let call = Gate()
        let trial = SupervisorTrial(
            Supervisor {
                workers
                ChildSpec("keeper") { child in
                    child.started()
                    await call.wait()
                    try await workers.terminateChild("hung")
                }
            }
        )
        try await trial.started()
        call.open()
        await hung.wait(for: .cancelled)
        trial.clock.advance(by: .seconds(5))
        let error = await trial.end()
        #expect(error?.code == .gaveUp)
        #expect(error?.path == "keeper")
        #expect((error?.underlying as? SupervisorError)?.path == "workers/hung")
        #expect(error?.abandoned == [["workers", "hung"]])
        try trial.story.expect(.restart(of: "keeper"), times: 3)
        hung.finish()
    }
}
