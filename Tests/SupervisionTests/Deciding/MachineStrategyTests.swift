import Testing

@testable import Supervision

@Suite("Decisions: strategies")
struct MachineStrategyTests {
    /// Which slots of three are stopped, in order, when this one fails.
    static let stopped: [(Strategy, failed: Int, [Int])] = [
        (.oneForOne, 0, []), (.oneForOne, 1, []), (.oneForOne, 2, []),
        (.oneForAll, 0, [2, 1]), (.oneForAll, 1, [2, 0]), (.oneForAll, 2, [1, 0]),
        (.restForOne, 0, [2, 1]), (.restForOne, 1, [2]), (.restForOne, 2, []),
    ]

    /// Answers each stop with an end and each start with a started, and notes both.
    private func settle(_ machine: inout Machine, _ first: [Action]) -> (stops: [Int], starts: [Int]) {
        var (stops, starts): ([Int], [Int]) = ([], [])
        var pending = first.deeds
        while !pending.isEmpty {
            switch pending.removeFirst() {
            case .cancel(let ref), .ask(let ref):
                stops.append(ref.slot)
                pending += machine.childEnded(ref, .cancelled, at: .zero).deeds
            case .start(let ref):
                starts.append(ref.slot)
                pending += machine.childStarted(ref).deeds
            default: break
            }
        }
        return (stops, starts)
    }

    @Test(
        "those coupled to the failed child stop in reverse order, then all start in order",
        arguments: stopped
    )
    func order(strategy: Strategy, failed: Int, stopped: [Int]) {
        var machine = Machine([.permanent, .permanent, .permanent], strategy: strategy).up()
        let actions = machine.childEnded(ref(failed), .threw, at: .zero)
        #expect(
            actions.reports.prefix(2) == [.childEnded(ref(failed), .threw), .childRestarting(ref(failed))]
        )
        let (stops, starts) = settle(&machine, actions)
        #expect(stops == stopped)
        #expect(starts == (stopped + [failed]).sorted())
    }

    @Test(
        "an end that needs no restart touches nobody",
        arguments: Strategy.allCases,
        [
            (Restart.transient, Exit.returned), (.temporary, .returned), (.temporary, .threw),
            (.temporary, .cancelled),
        ]
    )
    func noRestart(strategy: Strategy, end: (Restart, Exit)) {
        var machine = Machine([.permanent, end.0, .permanent], strategy: strategy).up()
        let actions = machine.childEnded(ref(1), end.1, at: .zero)
        #expect(actions.reports == [.childEnded(ref(1), end.1)])
        #expect(actions.deeds.isEmpty)
    }

    @Test("one application of a strategy counts once, however many it restarts", arguments: Strategy.allCases)
    func countsOnce(strategy: Strategy) {
        var machine = Machine(
            [.permanent, .permanent, .permanent],
            strategy: strategy,
            intensity: .init(maxRestarts: 2, within: .seconds(5))
        ).up()
        var generation = 1
        for _ in 1...2 {
            _ = settle(&machine, machine.childEnded(ref(0, generation), .threw, at: .zero))
            generation += 1
        }
        #expect(
            machine.childEnded(ref(0, generation), .threw, at: .zero).stopReason
                == .gaveUp(ref(0, generation))
        )
    }

    @Test("a temporary sibling that a strategy stops does not come back, and that is told")
    func temporarySibling() {
        var machine = Machine([.permanent, .temporary, .permanent], strategy: .oneForAll).up()
        _ = machine.childEnded(ref(0), .threw, at: .zero)
        _ = machine.childEnded(ref(2), .cancelled, at: .zero)
        let actions = machine.childEnded(ref(1), .cancelled, at: .zero)
        #expect(actions.reports.prefix(2) == [.childStopped(ref(1), .cancelled), .childDropped(ref(1))])
        #expect(actions.deeds == [.start(ref(0, 2))])
        #expect(machine.childStarted(ref(0, 2)).deeds == [.start(ref(2, 2))])
        #expect(machine.childStarted(ref(2, 2)).deeds == [])
    }

    @Test("a transient sibling that had done its work is started again with the others, as in OTP")
    func finishedTransient() {
        var machine = Machine([.permanent, .transient], strategy: .oneForAll).up()
        _ = machine.childEnded(ref(1), .returned, at: .zero)
        let (stops, starts) = settle(&machine, machine.childEnded(ref(0), .threw, at: .zero))
        #expect(stops == [])
        #expect(starts == [0, 1])
    }

    @Test("the start of the tree is told once, not after each restart", arguments: Strategy.allCases)
    func startedOnce(strategy: Strategy) {
        var machine = Machine([.permanent], strategy: strategy).up()
        _ = machine.childEnded(ref(0), .threw, at: .zero)
        #expect(machine.childStarted(ref(0, 2)) == [.report(.childStarted(ref(0, 2)))])
    }

    @Test("rest_for_one: a start that fails half way is tried again from there")
    func restForOneRetry() {
        var machine = Machine([.permanent, .permanent, .permanent], strategy: .restForOne).up()
        _ = machine.childEnded(ref(0), .threw, at: .zero)
        _ = machine.childEnded(ref(2), .cancelled, at: .zero)
        #expect(machine.childEnded(ref(1), .cancelled, at: .zero).deeds == [.start(ref(0, 2))])
        #expect(machine.childStarted(ref(0, 2)).deeds == [.start(ref(1, 2))])
        #expect(machine.childEnded(ref(1, 2), .threw, at: .zero).deeds.isEmpty, "0 is left alone")
        #expect(machine.deadlineReached(at: .zero).deeds == [.start(ref(1, 3))])
        #expect(machine.childStarted(ref(1, 3)).deeds == [.start(ref(2, 2))])
    }

    @Test("one_for_all: a start that fails half way stops those that are up again first, and counts")
    func oneForAllRetry() {
        var machine = Machine(
            [.permanent, .permanent],
            strategy: .oneForAll,
            intensity: .init(maxRestarts: 2, within: .seconds(5))
        ).up()
        _ = machine.childEnded(ref(0), .threw, at: .zero)
        #expect(machine.childEnded(ref(1), .cancelled, at: .zero).deeds == [.start(ref(0, 2))])
        _ = machine.childStarted(ref(0, 2))
        #expect(machine.childEnded(ref(1, 2), .threw, at: .zero).deeds == [.cancel(ref(0, 2))])
        #expect(machine.childEnded(ref(0, 2), .cancelled, at: .zero).deeds.isEmpty)
        #expect(machine.deadlineReached(at: .zero).deeds == [.start(ref(0, 3))])
        #expect(machine.childEnded(ref(0, 3), .threw, at: .zero).stopReason == .gaveUp(ref(0, 3)))
    }

    @Test(
        "a sibling that fails while it waits to be stopped is started again with the others, and does not count"
    )
    func failsWhileWaiting() {
        var machine = Machine(
            [.permanent, .permanent, .permanent],
            strategy: .oneForAll,
            intensity: .init(maxRestarts: 1, within: .seconds(5))
        ).up()
        #expect(machine.childEnded(ref(0), .threw, at: .zero).deeds == [.cancel(ref(2))])
        #expect(machine.childEnded(ref(1), .threw, at: .zero) == [.report(.childEnded(ref(1), .threw))])
        #expect(machine.childEnded(ref(2), .cancelled, at: .zero).deeds == [.start(ref(0, 2))])
    }

    @Test("those that had ended for good are expected again, before the first of their row is started")
    func doneAreExpected() throws {
        var machine = Machine([.permanent, .transient], strategy: .oneForAll).up()
        _ = machine.end(ref(1), .returned)
        let actions = machine.end(ref(0))
        let expected = actions.firstIndex(of: .expect(slot: 1))
        let started = actions.firstIndex(of: .start(ref(0, 2)))
        #expect(try #require(expected) < #require(started))
    }

    @Test("rest_for_one: a failure further up while others are taken down takes down what is between, too")
    func failureFurtherUp() {
        var machine = Machine([.permanent, .permanent, .permanent, .permanent], strategy: .restForOne).up()
        #expect(machine.childEnded(ref(2), .threw, at: .zero).deeds == [.cancel(ref(3))])
        #expect(machine.childEnded(ref(0), .threw, at: .zero).deeds == [])
        #expect(machine.childEnded(ref(3), .cancelled, at: .zero).deeds == [.cancel(ref(1))])
        #expect(machine.childEnded(ref(1), .cancelled, at: .zero).deeds == [.start(ref(0, 2))])
    }

    @Test("a stop while a strategy takes children down goes on from there, to the end")
    func stopWhileTakingDown() {
        var machine = Machine([.permanent, .permanent, .permanent], strategy: .restForOne).up()
        #expect(machine.childEnded(ref(1), .threw, at: .zero).deeds == [.cancel(ref(2))])
        #expect(machine.stopRequested(at: .zero) == [.report(.stopping(.requested))])
        #expect(machine.childEnded(ref(2), .cancelled, at: .zero).deeds == [.cancel(ref(0))])
        #expect(
            machine.childEnded(ref(0), .cancelled, at: .zero).deeds == [.finish(.requested)]
        )
    }

    @Test("a stop while a strategy starts children cancels the one that is starting")
    func stopWhileStarting() {
        var machine = Machine([.permanent, .permanent], strategy: .oneForAll).up()
        _ = machine.childEnded(ref(0), .threw, at: .zero)
        _ = machine.childEnded(ref(1), .cancelled, at: .zero)
        #expect(machine.stopRequested(at: .zero).deeds == [.cancel(ref(0, 2))])
        #expect(
            machine.childEnded(ref(0, 2), .cancelled, at: .zero).deeds == [.finish(.requested)]
        )
    }

    @Test(
        "a sibling that will not stop is never doubled: the supervisor ends",
        arguments: [Strategy.oneForAll, .restForOne]
    )
    func hungSibling(strategy: Strategy) {
        var machine = Machine([.permanent, .permanent, .permanent], strategy: strategy).up()
        _ = machine.childEnded(ref(1), .threw, at: .zero)
        let actions = machine.deadlineReached(at: .seconds(5))
        #expect(actions.reports.first == .childAbandoned(ref(2), after: .seconds(5)))
        #expect(actions.stopReason == .leftRunning(ref(2)))
        #expect(actions.deeds == [.cancel(ref(0))])
        #expect(
            machine.childEnded(ref(0), .cancelled, at: .seconds(5)).deeds
                == [.finish(.leftRunning(ref(2)))]
        )
        #expect(machine.abandoned == [ref(2)])
    }

    @Test("a sibling that stops but leaves something running ends the supervisor")
    func siblingLeftRunning() {
        var machine = Machine([.permanent, .permanent], strategy: .oneForAll).up()
        _ = machine.childEnded(ref(0), .threw, at: .zero)
        let actions = machine.childEnded(ref(1), .leftRunning, at: .zero)
        #expect(actions.stopReason == .leftRunning(ref(1)))
        #expect(actions.deeds == [.finish(.leftRunning(ref(1)))])
        #expect(machine.abandoned == [ref(1)])
    }

    @Test("a graceful sibling is asked, with its time, also by a strategy")
    func gracefulSibling() {
        var machine = Machine(
            shutdowns: [.timeout(.seconds(1)), .graceful(.seconds(10))],
            strategy: .restForOne
        ).up()
        #expect(machine.childEnded(ref(0), .threw, at: .seconds(1)).deeds == [.ask(ref(1))])
        #expect(machine.deadline == .seconds(11))
        #expect(machine.deadlineReached(at: .seconds(11)).deeds == [.cancel(ref(1))])
        #expect(machine.childEnded(ref(1), .cancelled, at: .seconds(11)).deeds == [.start(ref(0, 2))])
    }

    @Test("a failure during the start restarts what the strategy says, and the start goes on from there")
    func duringStart() {
        var machine = Machine([.permanent, .permanent, .permanent], strategy: .oneForAll)
        _ = machine.start()
        _ = machine.childStarted(ref(0))
        #expect(machine.childEnded(ref(0), .threw, at: .zero).deeds == [.cancel(ref(1))])
        #expect(machine.childEnded(ref(1), .cancelled, at: .zero).deeds == [.start(ref(0, 2))])
        #expect(machine.childStarted(ref(0, 2)).deeds == [.start(ref(1, 2))])
        #expect(machine.childStarted(ref(1, 2)).deeds == [.start(ref(2))])
        #expect(machine.childStarted(ref(2)).reports.last == .started)
    }
}
