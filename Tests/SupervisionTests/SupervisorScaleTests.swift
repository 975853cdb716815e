import SupervisionTesting
import Testing

@testable import Supervision

/// Run as a program runs them, without a trial that stands between a child and its supervisor.
@Suite("Supervisor: many children")
struct SupervisorScaleTests {
    private let count = 2_000

    @Test("two thousand start in order, and stop in reverse")
    func startAndStop() async {
        let count = count
        let order = Recorder<Int>()
        let last = Probe("last")
        let supervisor = Supervisor {
            for number in 0..<count {
                ChildSpec("\(number)") { child in
                    order.add(number)
                    child.started()
                    await child.shutdownRequested()
                    order.add(number)
                }
            }
            last
        }
        let run = Task { try await supervisor.run() }
        await last.wait(for: .started)
        supervisor.stop()
        #expect(await run.outcome == "()")
        #expect(order.all == Array(0..<count) + (0..<count).reversed())
    }

    @Test("two thousand are added, looked for, terminated and deleted, one by one")
    func administration() async throws {
        let anchor = Probe("anchor")
        let supervisor = Supervisor { anchor }
        let run = Task { try await supervisor.run() }
        await anchor.wait(for: .started)
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
        supervisor.stop()
        #expect(await run.outcome == "()")
    }

    @Test("two thousand temporary children come and go, and leave nothing behind")
    func manyTemporary() async throws {
        let anchor = Probe("anchor")
        let calls = DynamicSupervisor("calls", restart: .temporary) { (child, _: Int) in child.started() }
        let supervisor = Supervisor {
            calls; anchor
        }
        let ended = Recorder<Void>()
        supervisor.readEvents { if case .childEnded = $0.kind { ended.add(()) } }
        let run = Task { try await supervisor.run() }
        await anchor.wait(for: .started)
        for number in 0..<count { #expect(try await calls.startChild(number)?.number == number) }
        await ended.wait(forCount: count)
        #expect(try await calls.countChildren().specs == 0)
        supervisor.stop()
        #expect(await run.outcome == "()")
    }
}
