import SupervisionTesting
import Testing

@testable import Supervision

@Suite("Supervisor: many children")
struct SupervisorScaleTests {
    private let count = 2_000

    @Test("two thousand start in order, and stop in reverse")
    func startAndStop() async throws {
        let count = count
        let order = Recorder<Int>()
        let supervisor = Supervisor {
            for number in 0..<count {
                ChildSpec("\(number)") { child in
                    order.add(number)
                    child.started()
                    await child.shutdownRequested()
                    order.add(number)
                }
            }
        }
        let trial = SupervisorTrial(supervisor)
        try await trial.started()
        #expect(await trial.stop() == nil)
        #expect(order.all == Array(0..<count) + (0..<count).reversed())
    }

    @Test("two thousand are added, looked for, terminated and deleted, one by one")
    func administration() async throws {
        let supervisor = Supervisor { Probe("anchor") }
        let trial = SupervisorTrial(supervisor)
        try await trial.started()
        for number in 0..<count {
            try await supervisor.startChild(
                ChildSpec("\(number)") { child in
                    child.started()
                    await child.shutdownRequested()
                }
            )
        }
        #expect(try await supervisor.countChildren().active == count + 1)
        for number in 0..<count {
            #expect(try await supervisor.whichChild("\(number)").state == .running)
            try await supervisor.terminateChild("\(number)")
            try await supervisor.deleteChild("\(number)")
        }
        #expect(try await supervisor.whichChildren().map(\.id) == ["anchor"])
        #expect(await trial.stop() == nil)
    }

    @Test("two thousand temporary children come and go, and leave nothing behind")
    func manyTemporary() async throws {
        let calls = DynamicSupervisor("calls", restart: .temporary) { (child, _: Int) in child.started() }
        let supervisor = Supervisor { calls }
        let ended = Recorder<Void>()
        supervisor.readEvents { if case .childEnded = $0.kind { ended.add(()) } }
        let trial = SupervisorTrial(supervisor)
        try await trial.started()
        for number in 0..<count { #expect(try await calls.startChild(number)?.number == number) }
        await ended.wait(forCount: count)
        #expect(try await calls.countChildren().specs == 0)
        #expect(await trial.stop() == nil)
    }
}
