import Supervision
import SupervisionTesting
import Testing

@Suite("Supervisor: calls from within a child")
struct SupervisorFromWithinTests {
    @Test("a child may terminate itself: it is cancelled, and so is its call")
    func selfTermination() async throws {
        let supervisors = AsyncStream.makeStream(of: Supervisor.self)
        let trial = SupervisorTrial(
            Supervisor {
                ChildSpec("leaver") {
                    for await supervisor in supervisors.stream {
                        try await supervisor.terminateChild("leaver")
                    }
                }
                Probe("sibling")
            }
        )
        try await trial.started()
        supervisors.continuation.yield(trial.supervisor)
        try await trial.story.wait(for: .stop(of: "leaver"))
        #expect(try await trial.children() == ["leaver terminated", "sibling running"])
        #expect(await trial.stop() == nil)
    }

    @Test("a child may add a sibling when it has started itself")
    func startFromWithin() async throws {
        let box = AsyncStream.makeStream(of: Supervisor.self)
        let trial = SupervisorTrial(
            Supervisor {
                ChildSpec("founder") { child in
                    child.started()
                    for await supervisor in box.stream { try await supervisor.startChild(Probe("born")) }
                }
            }
        )
        box.continuation.yield(trial.supervisor)
        try await trial.story.wait(for: .start(of: "born"))
        #expect(await trial.stop() == nil)
    }
}
