import Testing

@testable import Supervision

/// Strategy × restart type × way of ending × position.
@Suite("Decisions: every way of ending")
struct MachineEndingTests {
    /// What follows from the end of a child.
    enum Outcome {
        /// It is started again, and with it those that the strategy couples to it.
        case restarted
        /// It stays down, and nobody is touched.
        case left
        /// It stays down and is forgotten, and nobody is touched.
        case forgotten
        /// The supervisor ends.
        case ends
    }

    static let outcomes: [(Restart, Exit, Outcome)] = [
        (.permanent, .returned, .restarted), (.permanent, .threw, .restarted),
        (.permanent, .cancelled, .restarted), (.permanent, .leftRunning, .ends),
        (.transient, .returned, .left), (.transient, .threw, .restarted),
        (.transient, .cancelled, .restarted), (.transient, .leftRunning, .ends),
        (.temporary, .returned, .forgotten), (.temporary, .threw, .forgotten),
        (.temporary, .cancelled, .forgotten), (.temporary, .leftRunning, .ends),
    ]

    struct Place: Sendable {
        var strategy: Strategy
        var count: Int
        var failed: Int
        /// Who is stopped when this one is restarted, and who is started.
        var stops: [Int]
        var starts: [Int]
    }

    static let places = [
        Place(strategy: .oneForOne, count: 1, failed: 0, stops: [], starts: [0]),
        Place(strategy: .oneForOne, count: 3, failed: 0, stops: [], starts: [0]),
        Place(strategy: .oneForOne, count: 3, failed: 1, stops: [], starts: [1]),
        Place(strategy: .oneForOne, count: 3, failed: 2, stops: [], starts: [2]),
        Place(strategy: .oneForAll, count: 1, failed: 0, stops: [], starts: [0]),
        Place(strategy: .oneForAll, count: 3, failed: 0, stops: [2, 1], starts: [0, 1, 2]),
        Place(strategy: .oneForAll, count: 3, failed: 1, stops: [2, 0], starts: [0, 1, 2]),
        Place(strategy: .oneForAll, count: 3, failed: 2, stops: [1, 0], starts: [0, 1, 2]),
        Place(strategy: .restForOne, count: 1, failed: 0, stops: [], starts: [0]),
        Place(strategy: .restForOne, count: 3, failed: 0, stops: [2, 1], starts: [0, 1, 2]),
        Place(strategy: .restForOne, count: 3, failed: 1, stops: [2], starts: [1, 2]),
        Place(strategy: .restForOne, count: 3, failed: 2, stops: [], starts: [2]),
    ]

    private func machine(_ place: Place, _ restart: Restart) -> Machine {
        var rules = Array(repeating: ChildRules.plain(), count: place.count)
        rules[place.failed].restart = restart
        return Machine(strategy: place.strategy, rules: rules).up()
    }

    @Test("what follows from the end of a child that runs", arguments: places, outcomes)
    func running(place: Place, outcome: (restart: Restart, exit: Exit, what: Outcome)) {
        var machine = machine(place, outcome.restart)
        let ref = ref(place.failed)
        let actions = machine.end(ref, outcome.exit)
        #expect(actions.first == .report(.childEnded(ref, outcome.exit)))
        let settling = machine.settle(actions)
        switch outcome.what {
        case .restarted:
            #expect(settling.stops == place.stops)
            #expect(settling.starts == place.starts)
            #expect(machine.count(.running) == place.count)
        case .left:
            #expect(actions == [.report(.childEnded(ref, outcome.exit)), .retire(slot: ref.slot)])
            #expect(machine.state(ref.slot) == .done)
        case .forgotten:
            #expect(
                actions == [
                    .report(.childEnded(ref, outcome.exit)), .retire(slot: ref.slot), .forget(slot: ref.slot),
                ]
            )
            #expect(machine.state(ref.slot) == nil)
        case .ends:
            #expect(settling.stops == (0..<place.count).reversed().filter { $0 != ref.slot })
            #expect(settling.starts == [])
            #expect(settling.rest.last == .finish(.leftRunning(ref)))
            #expect(machine.abandoned == [ref])
        }
    }

    @Test(
        "a first start that fails is the end of the start, and one that returns is no failure",
        arguments: places,
        outcomes.map { ($0.0, $0.1) }
    )
    func firstStart(place: Place, end: (restart: Restart, exit: Exit)) {
        var rules = Array(repeating: ChildRules.plain(), count: place.count)
        rules[place.failed].restart = end.restart
        var machine = Machine(strategy: place.strategy, rules: rules)
        _ = machine.start()
        for slot in 0..<place.failed { _ = machine.childStarted(ref(slot)) }
        let ref = ref(place.failed)
        let settling = machine.settle(machine.end(ref, end.exit))
        switch end.exit {
        case .returned:
            #expect(settling.reports.first == .childIgnored(ref))
            #expect(settling.starts == Array(place.failed + 1..<place.count))
            #expect(settling.reports.last == .started)
            #expect(machine.state(ref.slot) == (end.restart == .temporary ? nil : .done))
        case .threw, .cancelled:
            #expect(settling.stops == (0..<place.failed).reversed())
            #expect(settling.rest.last == .finish(.startFailed(ref)))
        case .leftRunning:
            #expect(settling.stops == (0..<place.failed).reversed())
            #expect(settling.rest.last == .finish(.leftRunning(ref)))
            #expect(machine.abandoned == [ref])
        }
    }

    @Test(
        "a child that was told to stop is never started again, however it ends",
        arguments: places,
        outcomes.map { ($0.0, $0.1) }
    )
    func told(place: Place, end: (restart: Restart, exit: Exit)) {
        var machine = machine(place, end.restart)
        var actions = machine.stopRequested(at: .zero)
        for slot in (place.failed + 1..<place.count).reversed() {
            #expect(actions.deeds == [.cancel(ref(slot))])
            actions = machine.end(ref(slot), .cancelled)
        }
        let ref = ref(place.failed)
        #expect(actions.deeds == [.cancel(ref)])
        actions = machine.end(ref, end.exit)
        #expect(actions.reports.first == .childStopped(ref, end.exit))
        let settling = machine.settle(actions)
        #expect(settling.starts == [])
        #expect(settling.stops == (0..<place.failed).reversed())
        let abandoned = end.exit == .leftRunning ? [ref] : []
        #expect(settling.rest.last == .finish(.requested))
        #expect(machine.abandoned == abandoned)
    }

    /// strategy × restart type × way of ending: what a copy does that ends before it has started again.
    static let retries: [(Strategy, Restart, Exit, retries: Bool)] = [
        (.oneForOne, .permanent, .returned, false), (.oneForOne, .permanent, .threw, true),
        (.oneForOne, .permanent, .cancelled, true), (.oneForOne, .transient, .returned, false),
        (.oneForOne, .transient, .threw, true), (.oneForOne, .transient, .cancelled, true),
        (.oneForAll, .permanent, .returned, false), (.oneForAll, .permanent, .threw, true),
        (.oneForAll, .permanent, .cancelled, true), (.oneForAll, .transient, .returned, false),
        (.oneForAll, .transient, .threw, true), (.oneForAll, .transient, .cancelled, true),
        (.restForOne, .permanent, .returned, false), (.restForOne, .permanent, .threw, true),
        (.restForOne, .permanent, .cancelled, true), (.restForOne, .transient, .returned, false),
        (.restForOne, .transient, .threw, true), (.restForOne, .transient, .cancelled, true),
    ]

    @Test(
        "a restart that fails to start is tried again, one that has nothing to run is not",
        arguments: retries
    )
    func secondStart(strategy: Strategy, restart: Restart, exit: Exit, retries: Bool) {
        var machine = Machine([restart], strategy: strategy).up()
        #expect(machine.end(ref(0)).deeds == [.start(ref(0, 2))])
        let actions = machine.end(ref(0, 2), exit)
        if retries {
            #expect(actions.reports.prefix(2) == [.childEnded(ref(0, 2), exit), .childRestarting(ref(0, 2))])
            let next = strategy == .oneForOne ? actions : machine.deadlineReached(at: .zero)
            #expect(next.starts == [ref(0, 3)])
        } else {
            #expect(actions == [.report(.childIgnored(ref(0, 2))), .retire(slot: 0)])
            #expect(machine.deadline == nil)
        }
    }

    @Test(
        "what was left running under a copy that starts again ends the supervisor",
        arguments: Strategy.allCases
    )
    func secondStartLeftRunning(strategy: Strategy) {
        var machine = Machine([.permanent, .permanent], strategy: strategy).up()
        _ = machine.end(ref(1))
        let copy = strategy == .oneForAll ? ref(0, 2) : ref(1, 2)
        if strategy == .oneForAll { _ = machine.end(ref(0), .cancelled) }
        #expect(machine.end(copy, .leftRunning).stopReason == .leftRunning(copy))
    }
}
