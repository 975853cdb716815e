import Supervision
import SupervisionTesting
import Testing

@testable import DaemonKit

@Suite("Hostile: a daemon whose children will not stop", .timeLimit(.minutes(1)))
struct HostileDaemonTests {
    private let count = 1_000

    @Test("it ends in the time its tree promises, and manager and log hear of a thousand in a few lines")
    func manyAbandoned() async throws {
        let release = Gate()
        let rooms = DynamicSupervisor("rooms", shutdown: .timeout(.seconds(20))) { (child, _: Int) in
            child.started()
            await release.wait()
        }
        let last = Probe("last")
        let trial = try DaemonTrial {
            Supervisor {
                rooms; last
            }
        }
        try await trial.ready()
        for number in 0..<count { try await rooms.startChild(number) }
        trial.send(.terminate)
        // The last one is to have its time too: it counts from when all have been told.
        await trial.clock.sleeper(dueIn: .seconds(20))
        trial.clock.advance(by: .seconds(20))
        #expect(await trial.end() == .childrenAbandoned)

        let status = try #require(trial.story.statuses.last)
        #expect(status.hasPrefix("still running after its time was up: \"rooms/0\", \"rooms/1\""))
        #expect(status.hasSuffix("and \(count - 10) more"))
        // A busy machine writes it when the daemon has ended, and drops some of the thousand before it.
        await trial.log.wait(for: "<3>\(status)")
        #expect(trial.log.all.last == "<3>\(status)")
        // What was asked of the manager is for all of them together.
        let asked = trial.story.notifications.count { $0.hasPrefix("EXTEND_TIMEOUT_USEC=") }
        #expect(asked > 0 && asked < 10)
        release.open()
        try await trial.expectNothingLeft()
    }

    @Test("one that fails while it stops, in a thousand copies, is no reason to end otherwise than asked")
    func failingStops() async throws {
        let rooms = DynamicSupervisor("rooms", shutdown: .graceful(.seconds(20))) { (child, number: Int) in
            child.started()
            await child.shutdownRequested()
            throw InjectedFailure("room \(number) is on fire")
        }
        let trial = try DaemonTrial { Supervisor { rooms } }
        try await trial.ready()
        for number in 0..<count { try await rooms.startChild(number) }
        #expect(await trial.stop() == .clean)
        let failures = trial.story.lines.count { $0.contains("stopped, but threw: room") }
        #expect(failures == count)
        #expect(trial.clock.now.offset == .zero)
        try await trial.expectNothingLeft()
    }
}
