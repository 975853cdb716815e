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
}
