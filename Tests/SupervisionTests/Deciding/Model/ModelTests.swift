import Testing

@testable import Supervision

/// Random lives of supervisors, held against what must be true after every step.
@Suite("Decisions: random sequences")
struct ModelTests {
    @Test("no sequence of events breaks a rule of a supervisor", arguments: 0..<ModelSeeds.lots)
    func supervisor(lot: Int) {
        if let fault = SupervisorLife.firstFault(in: lot) { Issue.record("\(fault)") }
    }

    @Test("no sequence of events breaks a rule of a dynamic supervisor", arguments: 0..<ModelSeeds.lots)
    func dynamicSupervisor(lot: Int) {
        if let fault = DynamicLife.firstFault(in: lot) { Issue.record("\(fault)") }
    }

    @Test("a life is the same each time it is lived", arguments: 1...UInt64(20))
    func isRepeatable(seed: UInt64) {
        var life = SupervisorLife(seed: seed, isTold: true)
        var again = SupervisorLife(seed: seed, isTold: true)
        life.live()
        again.live()
        #expect(life.story == again.story)
        #expect(life.story.count > 3)
    }
}
