import Testing

@testable import Supervision

/// Limits of single children, and what their errors are to lead to.
@Suite("Decisions: giving a child up")
struct MachineGiveUpTests {
    private func limited(_ maxRestarts: Int, _ restart: Restart = .permanent) -> ChildRules {
        ChildRules.plain(restart).with {
            $0.limit = RestartIntensity(maxRestarts: maxRestarts, within: .seconds(10))
        }
    }

    @Test("a child is given up with the restart that is one too many, and not before", arguments: [0, 1, 3])
    func limit(maxRestarts: Int) {
        var machine = Machine(rules: [limited(maxRestarts), .plain()]).up()
        for generation in 0..<maxRestarts {
            #expect(machine.end(ref(0, generation + 1)).starts == [ref(0, generation + 2)])
            _ = machine.childStarted(ref(0, generation + 2))
        }
        let last = ref(0, maxRestarts + 1)
        #expect(
            machine.end(last) == [
                .report(.childEnded(last, .threw)), .report(.childGivenUp(last, .limit)), .retire(slot: 0),
            ]
        )
        #expect(machine.state(0) == .givenUp)
        #expect(machine.state(1) == .running, "its siblings go on")
    }

    @Test("a restart exactly as old as the period still counts against a child, an older one does not")
    func limitWindow() {
        var machine = Machine(rules: [limited(1)]).up()
        _ = machine.childEnded(ref(0), .threw, at: .seconds(1))
        var other = machine
        _ = machine.childStarted(ref(0, 2), at: .seconds(1))
        _ = other.childStarted(ref(0, 2), at: .seconds(1))
        #expect(
            machine.childEnded(ref(0, 2), .threw, at: .seconds(11)).reports.last
                == .childGivenUp(ref(0, 2), .limit)
        )
        #expect(other.childEnded(ref(0, 2), .threw, at: .milliseconds(11_001)).starts == [ref(0, 3)])
    }

    @Test("what one child with a limit uses up is no other's, nor the supervisor's")
    func apart() {
        var machine = Machine(
            intensity: .init(maxRestarts: 1, within: .seconds(10)),
            rules: [limited(1), limited(1), .plain()]
        ).up()
        #expect(machine.end(ref(0)).starts == [ref(0, 2)])
        #expect(machine.end(ref(1)).starts == [ref(1, 2)])
        #expect(machine.end(ref(2)).starts == [ref(2, 2)])
        #expect(machine.end(ref(2, 2)).stopReason == .gaveUp(ref(2, 2)), "that was the supervisor's own")
    }

    @Test("attempts whose start fails count against the limit", arguments: Strategy.allCases)
    func failingStarts(strategy: Strategy) {
        var machine = Machine(strategy: strategy, rules: [limited(2)]).up()
        _ = machine.end(ref(0))
        for generation in 2...3 {
            let actions = machine.end(ref(0, generation))
            if generation == 3 {
                #expect(actions.reports.last == .childGivenUp(ref(0, 3), .limit))
            } else {
                _ = machine.deadlineReached(at: .zero)
            }
        }
    }

    @Test("with a backoff and a limit a child waits, and is given up in the end")
    func both() {
        var machine = Machine(rules: [limited(2).patient]).up()
        for generation in 1...2 {
            #expect(
                machine.end(ref(0, generation)).reports.last
                    == .childRestarting(ref(0, generation), after: .seconds(1))
            )
            _ = machine.deadlineReached(at: .seconds(1))
            _ = machine.childStarted(ref(0, generation + 1))
        }
        #expect(machine.end(ref(0, 3)).reports.last == .childGivenUp(ref(0, 3), .limit))
        #expect(machine.deadline == nil)
    }

    @Test("no strategy brings back a child that was given up", arguments: [Strategy.oneForAll, .restForOne])
    func staysDown(strategy: Strategy) {
        var machine = Machine(strategy: strategy, rules: [.plain(), limited(0), .plain()]).up()
        _ = machine.end(ref(1))
        let settling = machine.settle(machine.end(ref(0)))
        #expect(settling.stops == [2])
        #expect(settling.starts == [0, 2])
        #expect(machine.state(1) == .givenUp)
    }

    @Test(
        "a row is brought up without a child that is given up on the way",
        arguments: [Strategy.oneForAll, .restForOne]
    )
    func onTheWay(strategy: Strategy) {
        var machine = Machine(strategy: strategy, rules: [.plain(), limited(0), .plain()]).up()
        _ = machine.end(ref(0))
        _ = machine.end(ref(2), .cancelled)
        _ = machine.end(ref(1), .cancelled)
        _ = machine.childStarted(ref(0, 2))
        #expect(machine.end(ref(1, 2)).starts == [ref(2, 2)])
    }

    /// strategy × restart type × when: what an error leads to.
    static let responses: [(Strategy, Restart)] = Strategy.allCases.flatMap { strategy in
        Restart.allCases.map { (strategy, $0) }
    }

    @Test("an error that is to give up the child does so, and the siblings go on", arguments: responses)
    func giveUpChild(strategy: Strategy, restart: Restart) {
        var machine = Machine([.permanent, restart, .permanent], strategy: strategy).up()
        let actions = machine.end(ref(1), .threw, .giveUpChild)
        #expect(actions.reports == [.childEnded(ref(1), .threw), .childGivenUp(ref(1), .response)])
        #expect(actions.deeds == [])
        #expect(machine.state(1) == (restart == .temporary ? nil : .givenUp))
    }

    @Test("an error that is to give up the supervisor does so", arguments: responses)
    func giveUpSupervisor(strategy: Strategy, restart: Restart) {
        var machine = Machine([.permanent, restart, .permanent], strategy: strategy).up()
        let actions = machine.end(ref(1), .cancelled, .giveUpSupervisor)
        #expect(actions.stopReason == .gaveUp(ref(1), .response))
        let settling = machine.settle(actions)
        #expect(settling.stops == [2, 0])
        #expect(settling.rest.last == .finish(.gaveUp(ref(1), .response)))
    }

    @Test("a first start whose error gives up the child goes on without it", arguments: responses)
    func firstStart(strategy: Strategy, restart: Restart) {
        var machine = Machine([.permanent, restart, .permanent], strategy: strategy)
        _ = machine.start()
        _ = machine.childStarted(ref(0))
        #expect(machine.end(ref(1), .threw, .giveUpChild).deeds == [.start(ref(2))])
        #expect(machine.childStarted(ref(2)).reports.last == .started)
    }

    @Test("a first start whose error gives up the supervisor has failed for that reason")
    func firstStartGivesUp() {
        var machine = Machine([.permanent])
        _ = machine.start()
        #expect(machine.end(ref(0), .threw, .giveUpSupervisor).stopReason == .gaveUp(ref(0), .response))
    }

    @Test(
        "a body that returns has thrown nothing, whatever would follow from that",
        arguments: FailureResponse.allCases
    )
    func returned(response: FailureResponse) {
        var machine = Machine([.transient, .permanent]).up()
        #expect(machine.end(ref(0), .returned, response).reports == [.childEnded(ref(0), .returned)])
        #expect(machine.end(ref(1), .returned, response).starts == [ref(1, 2)])
    }

    @Test(
        "what an error would lead to does not matter once the child was told to stop",
        arguments: FailureResponse.allCases
    )
    func told(response: FailureResponse) {
        var machine = Machine([.permanent]).up()
        _ = machine.stopRequested(at: .zero)
        #expect(machine.end(ref(0), .threw, response).deeds == [.finish(.requested)])
    }

    @Test("a child given up while its row is taken down does not come up with it")
    func whileTakingDown() {
        var machine = Machine([.permanent, .permanent, .permanent], strategy: .oneForAll).up()
        _ = machine.end(ref(0))
        #expect(machine.end(ref(1), .threw, .giveUpChild).deeds == [])
        #expect(machine.end(ref(2), .cancelled).deeds == [.start(ref(0, 2))])
        #expect(machine.childStarted(ref(0, 2)).deeds == [.start(ref(2, 2))])
    }

    @Test("a significant child that is given up in its first start ends a supervisor that ends with any")
    func significant() {
        var machine = Machine(
            autoShutdown: .anySignificant,
            rules: [.plain(), ChildRules.plain(.transient).significant]
        )
        _ = machine.start()
        _ = machine.childStarted(ref(0))
        let actions = machine.end(ref(1), .threw, .giveUpChild)
        #expect(actions.stopReason == .gaveUp(ref(1), .response))
        #expect(actions.deeds == [.cancel(ref(0))])
    }
}
