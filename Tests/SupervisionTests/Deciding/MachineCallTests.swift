import Testing

@testable import Supervision

/// What becomes of calls: their order, the phases of the supervisor, and what happens to a child meanwhile.
@Suite("Decisions: calls")
struct MachineCallTests {
    static let calls: [Call] = [
        .start(id: "new", .plain()), .start(id: "0", .plain()), .terminate(.id("0")), .restart(.id("0")),
        .delete(.id("0")), .find(.id("0")), .read,
    ]

    // MARK: Phases

    @Test("a call that comes before the start is served after it", arguments: calls.indices)
    func beforeStart(index: Int) {
        var machine = Machine([.permanent, .permanent])
        #expect(machine.call(1, Self.calls[index]) == [])
        #expect(machine.start().replies == [])
        #expect(machine.childStarted(ref(0)).replies == [])
        let settling = machine.settle(machine.childStarted(ref(1)))
        #expect(settling.replies.count == 1)
        #expect(settling.reports.first == .childStarted(ref(1)))
    }

    @Test("a call that comes during the start is served after it", arguments: calls.indices)
    func duringStart(index: Int) {
        var machine = Machine([.permanent, .permanent])
        _ = machine.start()
        _ = machine.childStarted(ref(0))
        #expect(machine.call(1, Self.calls[index]) == [])
        #expect(machine.settle(machine.childStarted(ref(1))).replies.count == 1)
    }

    @Test(
        "a call that comes while a strategy takes children down and up is served after it",
        arguments: calls.indices
    )
    func duringRestart(index: Int) {
        var machine = Machine([.permanent, .permanent], strategy: .oneForAll).up()
        _ = machine.end(ref(0))
        #expect(machine.call(1, Self.calls[index]) == [])
        #expect(machine.end(ref(1), .cancelled).replies == [])
        #expect(machine.call(2, .read) == [])
        #expect(machine.childStarted(ref(0, 2)).replies == [])
        let settling = machine.settle(machine.childStarted(ref(1, 2)))
        #expect(settling.replies.count == 2)
        #expect(settling.replies.last == .reply(call: 2, .done))
    }

    @Test("a call that comes while the supervisor stops is refused", arguments: calls.indices)
    func whileStopping(index: Int) {
        var machine = Machine([.permanent]).up()
        _ = machine.stopRequested(at: .zero)
        #expect(machine.call(1, Self.calls[index]) == [.reply(call: 1, .refused(.notRunning))])
    }

    @Test("a call that comes after the end is refused", arguments: calls.indices)
    func afterEnd(index: Int) {
        var machine = Machine([.permanent])
        _ = machine.stopRequested(at: .zero)
        #expect(machine.call(1, Self.calls[index]) == [.reply(call: 1, .refused(.notRunning))])
    }

    @Test(
        "calls that wait when the supervisor begins to stop are refused, in order",
        arguments: calls.indices
    )
    func waitingWhenStopped(index: Int) {
        var machine = Machine([.permanent, .permanent]).up()
        _ = machine.call(1, .terminate(.id("1")))
        _ = machine.call(2, Self.calls[index])
        _ = machine.call(3, .read)
        let actions = machine.stopRequested(at: .zero)
        #expect(actions.replies == [1, 2, 3].map { .reply(call: $0, .refused(.notRunning)) })
        #expect(machine.end(ref(1), .cancelled).deeds == [.cancel(ref(0))], "nobody is answered twice")
    }

    @Test("one_for_one: calls are served while a child is slow to start again")
    func whileRestarting() {
        var machine = Machine([.permanent, .permanent]).up()
        _ = machine.end(ref(0))
        #expect(machine.call(1, .terminate(.id("1"))).deeds == [.cancel(ref(1))])
    }

    @Test(
        "calls are served between two attempts to start a child again",
        arguments: [Strategy.oneForAll, .restForOne]
    )
    func betweenAttempts(strategy: Strategy) {
        var machine = Machine([.permanent], strategy: strategy).up()
        _ = machine.end(ref(0))
        #expect(machine.call(1, .read) == [])
        #expect(machine.end(ref(0, 2)).replies == [.reply(call: 1, .done)])
        #expect(machine.deadlineReached(at: .zero).starts == [ref(0, 3)])
    }

    // MARK: Order

    @Test("calls are served one at a time, in the order in which they came")
    func order() {
        var machine = Machine([.permanent, .permanent]).up()
        #expect(machine.call(1, .terminate(.id("1"))).deeds == [.cancel(ref(1))])
        #expect(machine.call(2, .restart(.id("1"))) == [])
        #expect(machine.call(3, .find(.id("1"))) == [])
        #expect(machine.call(4, .read) == [])
        #expect(machine.end(ref(1), .cancelled).deeds == [.reply(call: 1, .done), .start(ref(1, 2))])
        let running = Standing(state: .running, since: .zero, generation: 2, until: nil)
        #expect(
            machine.childStarted(ref(1, 2)).deeds == [
                .reply(call: 2, .started(ref(1, 2))), .reply(call: 3, .found(slot: 1, running)),
                .reply(call: 4, .done),
            ]
        )
    }

    @Test("a call that is withdrawn before its turn is not served", arguments: calls.indices)
    func withdrawn(index: Int) {
        var machine = Machine([.permanent, .permanent]).up()
        _ = machine.call(1, .terminate(.id("1")))
        _ = machine.call(2, Self.calls[index])
        _ = machine.call(3, .read)
        machine.withdraw(2)
        #expect(machine.end(ref(1), .cancelled).deeds == [.reply(call: 1, .done), .reply(call: 3, .done)])
    }

    @Test("a call that is withdrawn while it is served is finished")
    func withdrawnTooLate() {
        var machine = Machine([.permanent]).up()
        _ = machine.call(1, .terminate(.id("0")))
        machine.withdraw(1)
        _ = machine.call(2, .find(.id("0")))
        let terminated = Standing(state: .terminated, since: .zero, generation: 1, until: nil)
        #expect(
            machine.end(ref(0), .cancelled).replies
                == [.reply(call: 1, .done), .reply(call: 2, .found(slot: 0, terminated))]
        )
    }

    // MARK: Starting

    @Test("a new child stands below the others")
    func startNew() {
        var machine = Machine([.permanent, .permanent]).up()
        let actions = machine.call(1, .start(id: "new", .plain()))
        #expect(
            actions == [
                .adopt(call: 1, slot: 2), .report(.childStarting(ref(2))), .start(ref(2)),
            ]
        )
        #expect(machine.childStarted(ref(2)).deeds == [.reply(call: 1, .started(ref(2)))])
        #expect(machine.stopRequested(at: .zero).deeds == [.cancel(ref(2))], "it is stopped first")
    }

    @Test(
        "a new child that has nothing to run stays in the list, unless it is temporary",
        arguments: Restart.allCases
    )
    func startIgnored(restart: Restart) {
        var machine = Machine([]).up()
        _ = machine.call(1, .start(id: "new", .plain(restart)))
        #expect(machine.end(ref(0), .returned).deeds == [.reply(call: 1, .ignored)])
        #expect(machine.state(0) == (restart == .temporary ? nil : .done))
    }

    @Test(
        "a new child that fails to start is forgotten, whatever its rules say, and nothing is counted",
        arguments: Restart.allCases,
        [FailureResponse.restart, .giveUpChild]
    )
    func startFails(restart: Restart, response: FailureResponse) {
        var machine = Machine([.permanent], intensity: .init(maxRestarts: 0, within: .seconds(1))).up()
        _ = machine.call(1, .start(id: "new", .plain(restart)))
        let actions = machine.end(ref(1), .threw, response)
        #expect(actions.deeds == [.reply(call: 1, .refused(.startFailed(ref(1))))])
        #expect(actions.contains(.retire(slot: 1)) && actions.contains(.forget(slot: 1)))
        #expect(machine.call(2, .start(id: "new", .plain())).starts == [ref(2)], "the id is free again")
    }

    @Test("a new child whose error is the end of the supervisor is that also when it was added")
    func startEndsSupervisor() {
        var machine = Machine([.permanent]).up()
        _ = machine.call(1, .start(id: "new", .plain()))
        let actions = machine.end(ref(1), .threw, .giveUpSupervisor)
        #expect(actions.stopReason == .gaveUp(ref(1), .response))
        #expect(actions.replies == [.reply(call: 1, .refused(.notRunning))])
    }

    @Test("a child that is deleted makes room for one of the same id, which is another")
    func sameID() {
        var machine = Machine([.permanent, .transient]).up()
        _ = machine.end(ref(1), .returned)
        _ = machine.call(1, .delete(.id("1")))
        #expect(machine.call(2, .start(id: "1", .plain())).starts == [ref(2)])
        #expect(machine.childStarted(ref(1)) == [], "news of the old one")
        #expect(machine.childStarted(ref(2)).replies == [.reply(call: 2, .started(ref(2)))])
    }

    @Test(
        "a restart that fails to start leaves the child as it was, and counts nothing",
        arguments: Strategy.allCases
    )
    func restartFails(strategy: Strategy) {
        var machine = Machine(
            [.permanent, .permanent],
            strategy: strategy,
            intensity: .init(maxRestarts: 0, within: .seconds(1))
        ).up()
        _ = machine.call(1, .terminate(.id("0")))
        _ = machine.end(ref(0), .cancelled)
        _ = machine.call(2, .restart(.id("0")))
        let actions = machine.end(ref(0, 2), .threw)
        #expect(actions.deeds == [.reply(call: 2, .refused(.startFailed(ref(0, 2))))])
        #expect(machine.state(0) == .terminated)
        #expect(machine.state(1) == .running)
    }

    @Test("a temporary child that is started by hand during a pause in the start, and fails, is forgotten")
    func temporaryRestartFails() {
        var machine = Machine(
            strategy: .oneForAll,
            rules: [ChildRules.plain().patient, .plain(), .plain(.temporary)]
        )
        _ = machine.start()
        _ = machine.childStarted(ref(0))
        _ = machine.end(ref(0))
        _ = machine.end(ref(1), .cancelled)
        #expect(machine.call(1, .restart(.id("2"))).starts == [ref(2)])
        let actions = machine.end(ref(2))
        #expect(actions.deeds == [.reply(call: 1, .refused(.startFailed(ref(2))))])
        #expect(actions.contains(.forget(slot: 2)))
    }

    @Test("a child that was given up can be started again by hand")
    func restartGivenUp() {
        var machine = Machine([.permanent]).up()
        _ = machine.end(ref(0), .threw, .giveUpChild)
        #expect(machine.call(1, .restart(.id("0"))).starts == [ref(0, 2)])
        _ = machine.childStarted(ref(0, 2))
        #expect(machine.end(ref(0, 2)).starts == [ref(0, 3)], "and lives by its rules again")
    }

    @Test("a start that a strategy interrupts is answered when the child is up after all")
    func startInterrupted() {
        var machine = Machine([.permanent], strategy: .oneForAll).up()
        _ = machine.call(1, .start(id: "new", .plain()))
        #expect(machine.end(ref(0)).deeds == [.cancel(ref(1))])
        #expect(machine.end(ref(1), .cancelled).deeds == [.start(ref(0, 2))])
        #expect(machine.childStarted(ref(0, 2)).deeds == [.start(ref(1, 2))])
        #expect(machine.childStarted(ref(1, 2)).deeds == [.reply(call: 1, .started(ref(1, 2)))])
    }

    @Test("a start that a strategy interrupts and that fails then has failed as ever: nothing is counted")
    func interruptedStartFails() {
        var machine = Machine([.permanent], strategy: .oneForAll).up()
        _ = machine.call(1, .start(id: "new", .plain()))
        _ = machine.end(ref(0))
        _ = machine.end(ref(1), .cancelled)
        _ = machine.childStarted(ref(0, 2))
        let actions = machine.end(ref(1, 2))
        #expect(actions.deeds == [.reply(call: 1, .refused(.startFailed(ref(1, 2))))])
        #expect(actions.contains(.forget(slot: 1)))
        #expect(machine.condition == .running)
    }

    @Test("a start of a temporary child that a strategy interrupts has failed")
    func temporaryInterrupted() {
        var machine = Machine([.permanent], strategy: .oneForAll).up()
        _ = machine.call(1, .start(id: "new", .plain(.temporary)))
        _ = machine.end(ref(0))
        let actions = machine.end(ref(1), .cancelled)
        #expect(actions.reports.contains(.childDropped(ref(1))))
        #expect(actions.replies == [.reply(call: 1, .refused(.startFailed(ref(1))))])
    }

    // MARK: Stopping

    @Test("a child that is terminated has the time that its shutdown says", arguments: [true, false])
    func terminateOverdue(ends: Bool) {
        var machine = Machine(shutdowns: [.infinity, .graceful(.seconds(3))]).up()
        #expect(machine.call(1, .terminate(.id("1"))).deeds == [.ask(ref(1))])
        #expect(machine.deadlineReached(at: .seconds(3)).deeds == [.cancel(ref(1))])
        if ends {
            #expect(machine.end(ref(1), .cancelled).deeds == [.reply(call: 1, .done)])
            #expect(machine.state(1) == .terminated)
        } else {
            let deeds = machine.deadlineReached(at: .seconds(4)).deeds
            #expect(deeds == [.reply(call: 1, .refused(.abandoned(ref(1))))], "and the others go on")
            #expect(machine.condition == .running)
        }
    }

    @Test("an abandoned child that ends at last can be started again, and not before")
    func lateEnd() {
        var machine = Machine([.permanent, .permanent], strategy: .oneForAll).up()
        _ = machine.call(1, .terminate(.id("1")))
        _ = machine.deadlineReached(at: .seconds(5))
        let settling = machine.settle(machine.end(ref(0)))
        #expect(settling.starts == [0], "no strategy starts a second copy")
        #expect(machine.end(ref(1), .cancelled) == [.report(.childStopped(ref(1), .cancelled))])
        #expect(machine.call(2, .restart(.id("1"))).starts == [ref(1, 2)])
    }

    @Test("a child that leaves something running when it is terminated is as good as abandoned")
    func terminateLeftRunning() {
        var machine = Machine([.permanent, .permanent]).up()
        _ = machine.call(1, .terminate(.id("1")))
        #expect(machine.end(ref(1), .leftRunning).deeds == [.reply(call: 1, .refused(.abandoned(ref(1))))])
        #expect(
            machine.settle(machine.stopRequested(at: .zero)).rest.last
                == .finish(.requested)
        )
        #expect(machine.abandoned == [ref(1)])
    }

    @Test("a temporary child that is terminated is forgotten")
    func terminateTemporary() {
        var machine = Machine([.permanent, .temporary]).up()
        _ = machine.call(1, .terminate(.id("1")))
        #expect(machine.end(ref(1), .cancelled).contains(.forget(slot: 1)))
    }

    @Test(
        "a child that was terminated stays down, whatever happens to its siblings",
        arguments: Strategy.allCases
    )
    func staysDown(strategy: Strategy) {
        var machine = Machine([.permanent, .permanent, .permanent], strategy: strategy).up()
        _ = machine.call(1, .terminate(.id("1")))
        _ = machine.end(ref(1), .cancelled)
        #expect(!machine.settle(machine.end(ref(0))).starts.contains(1))
        #expect(machine.state(1) == .terminated)
    }

    @Test(
        "how a child ends that is being terminated does not matter",
        arguments: Restart.allCases,
        [Exit.returned, .threw, .cancelled]
    )
    func terminatedEnd(restart: Restart, exit: Exit) {
        var machine = Machine([restart]).up()
        _ = machine.call(1, .terminate(.id("0")))
        let actions = machine.end(ref(0), exit)
        #expect(actions.reports == [.childStopped(ref(0), exit)])
        #expect(actions.deeds == [.reply(call: 1, .done)])
    }

    @Test("a sibling that fails while a child is being terminated is restarted after that, without it")
    func failureMeanwhile() {
        var machine = Machine([.permanent, .permanent, .permanent], strategy: .oneForAll).up()
        _ = machine.call(1, .terminate(.id("1")))
        #expect(machine.end(ref(0)).deeds == [], "one is stopped at a time")
        #expect(machine.end(ref(1), .cancelled).deeds == [.reply(call: 1, .done), .cancel(ref(2))])
        #expect(machine.end(ref(2), .cancelled).deeds == [.start(ref(0, 2))])
        #expect(machine.childStarted(ref(0, 2)).deeds == [.start(ref(2, 2))])
    }

    @Test("a child that will not be terminated does not keep its siblings from being restarted")
    func abandonedMeanwhile() {
        var machine = Machine([.permanent, .permanent, .permanent], strategy: .oneForAll).up()
        _ = machine.call(1, .terminate(.id("1")))
        _ = machine.end(ref(0))
        let deeds = machine.deadlineReached(at: .seconds(5)).deeds
        #expect(deeds == [.reply(call: 1, .refused(.abandoned(ref(1)))), .cancel(ref(2))])
    }
}

extension [Action] {
    fileprivate var replies: [Action] {
        filter { if case .reply = $0 { true } else { false } }
    }
}
