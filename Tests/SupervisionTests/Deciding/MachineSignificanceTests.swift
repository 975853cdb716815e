import Testing

@testable import Supervision

@Suite("Decisions: significant children")
struct MachineSignificanceTests {
    /// What follows for the supervisor.
    enum Outcome {
        case goesOn
        /// It ends as it should.
        case ends
        /// It ends as a failure.
        case fails
    }

    /// How a significant child can come to be down.
    enum Way: CaseIterable {
        case returned
        case threw
        case cancelled
        case terminated
        case givenUpByLimit
        case givenUpByResponse
        case ignored
    }

    /// The first of two significant children.
    static let endsOfFirst: [(AutoShutdown, Restart, Way, Outcome)] = [
        (.never, .transient, .returned, .goesOn), (.never, .temporary, .returned, .goesOn),
        (.never, .transient, .givenUpByLimit, .goesOn), (.never, .transient, .givenUpByResponse, .goesOn),
        (.never, .temporary, .threw, .goesOn), (.never, .transient, .terminated, .goesOn),

        (.anySignificant, .transient, .returned, .ends), (.anySignificant, .transient, .threw, .goesOn),
        (.anySignificant, .transient, .cancelled, .goesOn),
        (.anySignificant, .transient, .terminated, .goesOn),
        (.anySignificant, .transient, .givenUpByLimit, .fails),
        (.anySignificant, .transient, .givenUpByResponse, .fails),
        (.anySignificant, .transient, .ignored, .goesOn),
        (.anySignificant, .temporary, .returned, .ends), (.anySignificant, .temporary, .threw, .ends),
        (.anySignificant, .temporary, .cancelled, .ends), (.anySignificant, .temporary, .terminated, .goesOn),
        (.anySignificant, .temporary, .givenUpByResponse, .fails),

        (.allSignificant, .transient, .returned, .goesOn), (.allSignificant, .transient, .threw, .goesOn),
        (.allSignificant, .transient, .cancelled, .goesOn),
        (.allSignificant, .transient, .terminated, .goesOn),
        (.allSignificant, .transient, .givenUpByLimit, .goesOn),
        (.allSignificant, .transient, .givenUpByResponse, .goesOn),
        (.allSignificant, .transient, .ignored, .goesOn),
        (.allSignificant, .temporary, .returned, .goesOn), (.allSignificant, .temporary, .threw, .goesOn),
        (.allSignificant, .temporary, .terminated, .goesOn),
        (.allSignificant, .temporary, .givenUpByResponse, .goesOn),
    ]

    /// The last of them, after the other has returned.
    static let endsOfLast: [(AutoShutdown, Restart, Way, Outcome)] = [
        (.allSignificant, .transient, .returned, .ends), (.allSignificant, .transient, .threw, .goesOn),
        (.allSignificant, .transient, .cancelled, .goesOn),
        (.allSignificant, .transient, .terminated, .goesOn),
        (.allSignificant, .transient, .givenUpByLimit, .fails),
        (.allSignificant, .transient, .givenUpByResponse, .fails),
        (.allSignificant, .temporary, .returned, .ends), (.allSignificant, .temporary, .threw, .ends),
        (.allSignificant, .temporary, .cancelled, .ends), (.allSignificant, .temporary, .terminated, .goesOn),
        (.allSignificant, .temporary, .givenUpByResponse, .fails),
        (.never, .transient, .returned, .goesOn), (.never, .temporary, .threw, .goesOn),
    ]

    /// A server, and two children that are significant.
    private func machine(_ autoShutdown: AutoShutdown, _ restart: Restart, _ way: Way) -> Machine {
        var rules = ChildRules.plain(restart).significant
        if way == .givenUpByLimit { rules.limit = RestartIntensity(maxRestarts: 0, within: .seconds(1)) }
        return Machine(
            strategy: .oneForOne,
            autoShutdown: autoShutdown,
            rules: [.plain(), rules, .plain(.transient).significant]
        )
    }

    private func bring(_ machine: inout Machine, _ slot: Int, _ way: Way) -> [Action] {
        switch way {
        case .returned: return machine.end(ref(slot), .returned)
        case .threw, .givenUpByLimit: return machine.end(ref(slot), .threw)
        case .cancelled: return machine.end(ref(slot), .cancelled)
        case .givenUpByResponse: return machine.end(ref(slot), .threw, .giveUpChild)
        case .terminated:
            _ = machine.call(1, .terminate(.slot(slot)))
            return machine.end(ref(slot), .cancelled)
        case .ignored:
            _ = machine.end(ref(slot), .threw)
            return machine.end(ref(slot, 2), .returned)
        }
    }

    private func check(_ machine: inout Machine, _ actions: [Action], _ outcome: Outcome, _ slot: Int) {
        switch (outcome, actions.stopReason) {
        case (.goesOn, nil):
            #expect(machine.condition == .running)
        case (.ends, .autoShutdown(let ended)?):
            #expect(ended == ref(slot))
            #expect(machine.settle(actions).stops.last == 0, "the others are stopped, the last one first")
            #expect(machine.condition == .ended)
        case (.fails, .gaveUp(let ended, _)?):
            #expect(ended == ref(slot))
        case (_, let reason):
            Issue.record("\(outcome) was expected, not \(String(describing: reason))")
        }
    }

    @Test("whether the end of the first significant child is that of its supervisor", arguments: endsOfFirst)
    func first(autoShutdown: AutoShutdown, restart: Restart, way: Way, outcome: Outcome) {
        var machine = machine(autoShutdown, restart, way).up()
        let actions = bring(&machine, 1, way)
        check(&machine, actions, outcome, 1)
    }

    @Test("whether the end of the last significant child is that of its supervisor", arguments: endsOfLast)
    func last(autoShutdown: AutoShutdown, restart: Restart, way: Way, outcome: Outcome) {
        var machine = machine(autoShutdown, restart, way).up()
        #expect(machine.end(ref(2), .returned).stopReason == nil)
        let actions = bring(&machine, 1, way)
        check(&machine, actions, outcome, 1)
    }

    @Test(
        "being stopped by a sibling's failure is no end of a significant child's own",
        arguments: [AutoShutdown.anySignificant, .allSignificant],
        [Restart.transient, .temporary]
    )
    func stoppedByStrategy(autoShutdown: AutoShutdown, restart: Restart) {
        var machine = Machine(
            strategy: .oneForAll,
            autoShutdown: autoShutdown,
            rules: [.plain(), .plain(restart).significant]
        ).up()
        let settling = machine.settle(machine.end(ref(0)))
        #expect(settling.stops == [1])
        #expect(settling.reports.contains(.childDropped(ref(1))) == (restart == .temporary))
        #expect(machine.condition == .running)
    }

    @Test("a significant child that was stopped by hand counts among those that have ended")
    func terminatedCountsAsGone() {
        var machine = machine(.allSignificant, .transient, .returned).up()
        _ = machine.call(1, .terminate(.slot(2)))
        _ = machine.end(ref(2), .cancelled)
        #expect(machine.end(ref(1), .returned).stopReason == .autoShutdown(ref(1)))
    }

    @Test("a significant child that waits along with a sibling has not ended")
    func waitingAlong() {
        var machine = Machine(
            strategy: .restForOne,
            autoShutdown: .allSignificant,
            rules: [
                .plain(.transient).significant, .plain().patient, .plain(.transient).significant,
            ]
        ).up()
        _ = machine.end(ref(1))
        _ = machine.end(ref(2), .cancelled)
        #expect(machine.end(ref(0), .returned).stopReason == nil)
        #expect(machine.state(2) == .stopped)
        _ = machine.settle(machine.deadlineReached(at: .seconds(1)))
        #expect(machine.end(ref(2, 2), .returned).stopReason == .autoShutdown(ref(2, 2)))
    }

    @Test("an end during the start of the tree is looked at when the start is over")
    func duringStart() {
        var machine = machine(.anySignificant, .temporary, .returned)
        _ = machine.start()
        _ = machine.childStarted(ref(0))
        _ = machine.childStarted(ref(1))
        #expect(machine.end(ref(1), .returned).stopReason == nil)
        #expect(machine.childStarted(ref(2)).stopReason == .autoShutdown(ref(1)))
    }

    @Test("an end that a strategy has undone in the meantime is none, and does not hide another")
    func undone() {
        var machine = Machine(
            strategy: .oneForAll,
            autoShutdown: .anySignificant,
            rules: [.plain(), .plain(.temporary).significant, .plain(.transient).significant, .plain()]
        )
        _ = machine.start()
        for slot in 0...2 { _ = machine.childStarted(ref(slot)) }
        _ = machine.end(ref(1), .returned)
        _ = machine.end(ref(2), .returned)
        let settling = machine.settle(machine.end(ref(0)))
        #expect(settling.reports.contains(.stopping(.autoShutdown(ref(1)))), "2 is back, and 1 is not")
    }

    @Test("an end during the start is looked at also when the start pauses")
    func duringPause() {
        var machine = Machine(
            strategy: .oneForAll,
            autoShutdown: .anySignificant,
            rules: [.plain().patient, .plain(.transient).significant, .plain()]
        )
        _ = machine.start()
        _ = machine.childStarted(ref(0))
        _ = machine.childStarted(ref(1))
        #expect(machine.end(ref(1), .returned).stopReason == nil)
        _ = machine.end(ref(0))
        #expect(machine.end(ref(2), .cancelled).stopReason == .autoShutdown(ref(1)))
    }

    @Test("the supervisor looks before it serves the next call")
    func beforeCalls() {
        var machine = machine(.anySignificant, .temporary, .returned).up()
        _ = machine.call(1, .terminate(.slot(0)))
        _ = machine.call(2, .read)
        let actions = machine.end(ref(1), .returned)
        #expect(actions.stopReason == .autoShutdown(ref(1)))
        #expect(
            actions.deeds == [
                .reply(call: 1, .refused(.notRunning)), .reply(call: 2, .refused(.notRunning)),
            ]
        )
    }
}
