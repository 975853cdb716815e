import Supervision
import SupervisionTesting
import Testing

@Suite("What is said of a child that will not stop for a restart")
struct SupervisorLeftRunningTests {
    /// Lets `stubborn` fail once, which is mended, and then be in the way of a restart.
    private func end(_ stubborn: Probe) async -> (error: SupervisorError?, lines: [String]) {
        let clock = TestClock()
        let first = Probe("first")
        let trial = Trial(
            Supervisor(strategy: .restForOne, clock: clock) {
                first
                stubborn
            }
        )
        await trial.up()
        stubborn.fail(Failure("long mended"))
        await stubborn.wait(for: .started, count: 2)
        first.fail(Failure())
        await stubborn.wait(for: .cancelled)
        await clock.sleepers(atLeast: 1)
        clock.advance(by: .seconds(5))
        let error = await trial.error()
        stubborn.finish()
        return (error, trial.recorder.lines)
    }

    @Test("an earlier failure of it is not the reason")
    func earlierFailure() async {
        let error = await end(Probe("stubborn", ignoresStop: true)).error
        #expect(error?.code == .childrenAbandoned)
        #expect(error?.abandoned == [["stubborn"]])
        #expect(error?.underlying == nil)
    }

    @Test("the event says that it runs itself")
    func event() async {
        let lines = await end(Probe("stubborn", ignoresStop: true)).lines
        #expect(lines.contains("supervisor stopping: stubborn still runs and cannot be started again"))
    }
}
