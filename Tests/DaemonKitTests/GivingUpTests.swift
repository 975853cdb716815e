import SupervisionTesting
import Testing

@testable import DaemonKit

/// However deep in the tree, and whatever the supervisors between: the manager hears of it.
@Suite("Daemon: giving up is never silent", .timeLimit(.minutes(1)))
struct GivingUpTests {
    private let never = RestartIntensity(maxRestarts: 0, within: .seconds(1))

    @Test(
        "a nested supervisor that gave up ends the daemon with the child's path and last error",
        arguments: [Restart.permanent, .transient]
    )
    func nested(restart: Restart) async throws {
        let worker = Probe("worker")
        let trial = try DaemonTrial {
            Supervisor(intensity: never) {
                Supervisor("a", intensity: never, restart: restart) {
                    Supervisor("b", intensity: never, restart: restart) { worker }
                }
            }
        }
        try await trial.ready()
        worker.fail(SystemFailure(errorNumber: 5))
        #expect(await trial.end() == .gaveUp)
        try trial.story.expect(notifications: [
            "READY=1", "STOPPING=1",
            "STATUS=gave up on child \"a/b/worker\": more than 0 restarts within 1.0 seconds: "
                + "the system refused",
            "ERRNO=5",
        ])
    }

    @Test("an error that is not to be tried again ends the daemon, and its text is the status")
    func response() async throws {
        let worker = Probe("worker")
        let trial = try DaemonTrial {
            Supervisor {
                Supervisor("inner", intensity: never, restart: .transient) {
                    worker.onFailure { _ in .giveUpSupervisor }
                }
                .onFailure { _ in .giveUpSupervisor }
            }
        }
        try await trial.ready()
        worker.fail(InjectedFailure("disk full"))
        #expect(await trial.end() == .gaveUp)
        try trial.story.expect(.status("gave up on child \"inner/worker\": disk full"), times: 1)
    }

    @Test("a child that is given up while the daemon goes on is in the log, with its error")
    func givenUpChild() async throws {
        let worker = Probe("worker")
        let supervisor = Supervisor(intensity: never) {
            worker.limit(maxRestarts: 0, within: .seconds(1))
            Probe("other")
        }
        let trial = try DaemonTrial { supervisor }
        try await trial.ready()
        worker.fail(InjectedFailure("bad sector"))
        try await trial.story.wait(for: "worker given up, not started again: bad sector")
        #expect(await trial.stop() == .clean)
        #expect(trial.log.all.contains("<3>worker given up, not started again: bad sector"))
    }
}
