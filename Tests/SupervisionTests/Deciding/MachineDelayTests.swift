import Testing

@testable import Supervision

/// Pauses before a restart, where siblings are restarted too.
@Suite("Decisions: strategies with a pause")
struct MachineDelayTests {
    private static let plain = ChildRules(restart: .permanent, shutdown: .timeout(.seconds(5)))

    private static func patient(_ pause: Duration = .seconds(1)) -> ChildRules {
        var rules = plain
        rules.backoff = .constant(pause)
        return rules
    }

    private func state(_ machine: Machine, _ slot: Int) -> ChildState? {
        machine.slots[slot]?.state
    }

    @Test("one_for_one: the others run on while one waits, and it is started when its time has come")
    func alone() {
        var machine = Machine(rules: [Self.plain, Self.patient(), Self.plain]).up()
        let actions = machine.childEnded(ref(1), .threw, at: .zero)
        #expect(actions.reports.last == .childRestarting(ref(1), after: .seconds(1)))
        #expect(actions.deeds == [])
        #expect(machine.deadline == .seconds(1))
        #expect(machine.deadlineReached(at: .milliseconds(999)) == [])
        #expect(machine.deadlineReached(at: .seconds(1)).deeds == [.start(ref(1, 2))])
    }

    @Test(
        "the coupled siblings are stopped at once, and start after the pause",
        arguments: [(Strategy.oneForAll, [2, 0]), (.restForOne, [2])]
    )
    func coupled(strategy: Strategy, stopped: [Int]) {
        var machine = Machine(strategy: strategy, rules: [Self.plain, Self.patient(), Self.plain]).up()
        var actions = machine.childEnded(ref(1), .threw, at: .zero)
        for slot in stopped {
            #expect(actions.deeds == [.cancel(ref(slot))])
            actions = machine.childEnded(ref(slot), .cancelled, at: .zero)
        }
        #expect(actions.deeds == [], "all that is to be down is down")
        #expect(machine.deadlineReached(at: .milliseconds(999)) == [])
        actions = machine.deadlineReached(at: .seconds(1))
        for slot in ([1] + stopped).sorted() {
            #expect(actions.deeds == [.start(ref(slot, 2))])
            actions = machine.childStarted(ref(slot, 2), at: .seconds(1))
        }
        #expect(actions.deeds == [])
    }

    @Test("rest_for_one: a child that fails above one that waits is restarted at once, and that one with it")
    func failureAboveOneThatWaits() {
        var machine = Machine(strategy: .restForOne, rules: [Self.plain, Self.patient()]).up()
        _ = machine.childEnded(ref(1), .threw, at: .zero)
        #expect(machine.childEnded(ref(0), .threw, at: .zero).deeds == [.start(ref(0, 2))])
        #expect(machine.childStarted(ref(0, 2)).deeds == [.start(ref(1, 2))], "its pause is over")
        #expect(machine.deadlineReached(at: .seconds(1)) == [])
    }

    @Test("rest_for_one: it is so also where siblings of the one that waits are still being stopped")
    func failureAboveWhileTakingDown() {
        var machine = Machine(strategy: .restForOne, rules: [Self.plain, Self.patient(), Self.plain]).up()
        #expect(machine.childEnded(ref(1), .threw, at: .zero).deeds == [.cancel(ref(2))])
        #expect(machine.childEnded(ref(0), .threw, at: .zero).deeds == [])
        #expect(machine.childEnded(ref(2), .cancelled, at: .zero).deeds == [.start(ref(0, 2))])
        #expect(machine.childStarted(ref(0, 2)).deeds == [.start(ref(1, 2))])
    }

    @Test("rest_for_one: where one above waits longer, those below wait with it")
    func longerPauseAbove() {
        var machine = Machine(
            strategy: .restForOne,
            rules: [Self.patient(.seconds(10)), Self.patient(.seconds(1))]
        ).up()
        _ = machine.childEnded(ref(1), .threw, at: .zero)
        _ = machine.childEnded(ref(0), .threw, at: .zero)
        #expect(machine.deadlineReached(at: .seconds(1)).deeds == [], "the one above is not there")
        #expect(machine.deadlineReached(at: .seconds(10)).deeds == [.start(ref(0, 2))])
        #expect(machine.childStarted(ref(0, 2)).deeds == [.start(ref(1, 2))])
    }

    @Test("a child added below one that waits does not keep it from coming back, whatever becomes of it")
    func addedBelowOneThatWaits() {
        var machine = Machine(strategy: .restForOne, rules: [Self.patient(.seconds(1))]).up()
        _ = machine.childEnded(ref(0), .threw, at: .zero)
        #expect(machine.call(1, .start(id: "new", Self.patient(.seconds(10))), at: .zero).deeds.count == 2)
        _ = machine.childStarted(ref(1))
        #expect(machine.childEnded(ref(1), .threw, at: .zero).deeds == [])
        #expect(machine.deadlineReached(at: .seconds(1)).deeds == [.start(ref(0, 2))])
        #expect(machine.childStarted(ref(0, 2), at: .seconds(1)).deeds == [.start(ref(1, 2))])
    }

    @Test("a failure further down does not lose the rest of a row that is being started")
    func failureBelowARow() {
        var machine = Machine(strategy: .restForOne, rules: [Self.patient(), Self.plain, Self.plain]).up()
        _ = machine.childEnded(ref(0), .threw, at: .zero)
        _ = machine.childEnded(ref(2), .cancelled, at: .zero)
        _ = machine.childEnded(ref(1), .cancelled, at: .zero)
        _ = machine.call(1, .start(id: "new", Self.patient()), at: .zero)
        _ = machine.childStarted(ref(3))
        #expect(machine.call(2, .terminate(.slot(0)), at: .zero).starts == [ref(1, 2)])
        #expect(machine.childEnded(ref(3), .threw, at: .zero).deeds == [])
        #expect(machine.childStarted(ref(1, 2)).deeds == [.start(ref(2, 2))])
        #expect(machine.childStarted(ref(2, 2)).deeds == [.start(ref(3, 2))], "without a pause of its own")
    }

    @Test("pauses that end in the same moment are one restart")
    func sameMoment() {
        var machine = Machine(strategy: .restForOne, rules: [Self.patient(.seconds(1))]).up()
        _ = machine.childEnded(ref(0), .threw, at: .zero)
        _ = machine.call(1, .start(id: "new", Self.patient(.seconds(1))), at: .zero)
        _ = machine.childStarted(ref(1))
        _ = machine.childEnded(ref(1), .threw, at: .zero)
        #expect(machine.deadlineReached(at: .seconds(1)).deeds == [.start(ref(0, 2))])
    }

    @Test("the start of the tree is told when those that waited during it are up, not before")
    func pauseDuringStart() {
        var machine = Machine(strategy: .restForOne, rules: [Self.patient(), Self.plain])
        _ = machine.start()
        _ = machine.childStarted(ref(0))
        _ = machine.childEnded(ref(0), .threw, at: .zero)
        _ = machine.childEnded(ref(1), .cancelled, at: .zero)
        // Meanwhile somebody adds a child, which is restarted once.
        _ = machine.call(1, .start(id: "new", Self.plain), at: .zero)
        _ = machine.childStarted(ref(2))
        _ = machine.childEnded(ref(2), .threw, at: .zero)
        #expect(machine.childStarted(ref(2, 2)).reports == [.childStarted(ref(2, 2))])
        #expect(machine.condition == .starting)

        _ = machine.deadlineReached(at: .seconds(1))
        _ = machine.childEnded(ref(2, 2), .cancelled, at: .seconds(1))
        _ = machine.childStarted(ref(0, 2), at: .seconds(1))
        _ = machine.childStarted(ref(1, 2), at: .seconds(1))
        #expect(machine.childStarted(ref(2, 3), at: .seconds(1)).reports.last == .started)
    }

    @Test("a stop during a pause is at once, and nothing is started any more", arguments: Strategy.allCases)
    func stopDuringPause(strategy: Strategy) {
        var machine = Machine(strategy: strategy, rules: [Self.patient()]).up()
        _ = machine.childEnded(ref(0), .threw, at: .zero)
        #expect(machine.stopRequested(at: .zero).deeds == [.finish(.requested)])
        #expect(machine.deadline == nil)
        #expect(machine.deadlineReached(at: .seconds(1)) == [])
    }

    @Test("the pause of one that is terminated ends, and its siblings come back without it")
    func terminatedDuringPause() {
        var machine = Machine(strategy: .oneForAll, rules: [Self.plain, Self.patient(), Self.plain]).up()
        _ = machine.childEnded(ref(1), .threw, at: .zero)
        _ = machine.childEnded(ref(2), .cancelled, at: .zero)
        _ = machine.childEnded(ref(0), .cancelled, at: .zero)
        #expect(
            machine.call(1, .terminate(.id("1")), at: .zero).deeds
                == [.reply(call: 1, .done), .start(ref(0, 2))]
        )
        #expect(machine.childStarted(ref(0, 2)).deeds == [.start(ref(2, 2))])
        #expect(machine.childStarted(ref(2, 2)).deeds == [])
        #expect(machine.deadlineReached(at: .seconds(1)).deeds == [])
        #expect(state(machine, 1) == .terminated)
    }

    @Test("calls are served during a pause", arguments: Strategy.allCases)
    func callsDuringPause(strategy: Strategy) {
        var machine = Machine(strategy: strategy, rules: [Self.patient()]).up()
        _ = machine.childEnded(ref(0), .threw, at: .zero)
        let standing = Standing(state: .waiting, since: .zero, generation: 1, until: .seconds(1))
        #expect(
            machine.call(1, .find(.id("0")), at: .zero) == [.reply(call: 1, .found(slot: 0, standing))]
        )
    }
}
