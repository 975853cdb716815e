import Testing

@testable import Supervision

@Suite("Decisions: dynamic supervisors")
struct DynamicMachineTests {
    // MARK: Starting

    @Test("it has started at once, and has no children")
    func empty() {
        var trial = DynamicTrial()
        #expect(trial.machine.start(at: .zero) == [.report(.starting), .report(.started)])
        #expect(trial.machine.condition == .running)
        #expect(trial.machine.start(at: .zero) == [])
        #expect(
            trial.stop() == [
                .report(.stopping(.requested)), .cancelAll, .report(.stopped),
                .finish(.requested),
            ]
        )
    }

    @Test("children start side by side, and each caller is answered when its child has started")
    func start() {
        var trial = DynamicTrial()
        _ = trial.machine.start(at: .zero)
        #expect(
            trial.call(.start(id: "", .plain()), number: 1) == [
                .adopt(call: 1, slot: 0), .report(.childStarting(ref(0))), .start(ref(0)),
            ]
        )
        #expect(trial.call(.start(id: "", .plain()), number: 2).starts == [ref(1)])
        #expect(trial.started(ref(1)) == [.report(.childStarted(ref(1))), .reply(call: 2, .started(ref(1)))])
        #expect(trial.started(ref(0)).deeds == [.reply(call: 1, .started(ref(0)))])
        #expect(trial.started(ref(0)) == [], "it has said so before")
    }

    @Test("a child that has nothing to run is forgotten", arguments: Restart.allCases)
    func ignored(restart: Restart) {
        var trial = DynamicTrial(restart, children: 1)
        _ = trial.call(.start(id: "", .plain()), number: 1)
        #expect(
            trial.end(ref(1), .returned) == [
                .report(.childIgnored(ref(1))), .retire(slot: 1), .reply(call: 1, .ignored), .forget(slot: 1),
            ]
        )
    }

    @Test(
        "a child that fails to start is forgotten, and nothing is counted",
        arguments: Restart.allCases,
        [Exit.threw, .cancelled]
    )
    func startFails(restart: Restart, exit: Exit) {
        var trial = DynamicTrial(restart, intensity: .init(maxRestarts: 0, within: .seconds(1)), children: 1)
        _ = trial.call(.start(id: "", .plain()), number: 1)
        let actions = trial.end(ref(1), exit)
        #expect(actions.deeds == [.reply(call: 1, .refused(.startFailed(ref(1))))])
        #expect(actions.contains(.forget(slot: 1)))
        #expect(trial.states == [0: .running])
    }

    @Test("one child more than there may be is refused, and a place that is free again is given")
    func maximum() {
        var trial = DynamicTrial(.temporary, maxChildren: 2, children: 2)
        #expect(
            trial.call(.start(id: "", .plain()), number: 1) == [.reply(call: 1, .refused(.tooManyChildren))]
        )
        _ = trial.end(ref(0))
        #expect(trial.start().starts == [ref(2)])
        #expect(
            trial.call(.start(id: "", .plain()), number: 2) == [.reply(call: 2, .refused(.tooManyChildren))]
        )
    }

    @Test("a child takes its place as long as it is being stopped, waits, or was abandoned")
    func placesTaken() {
        var trial = DynamicTrial(.permanent, backoff: .constant(.seconds(9)), maxChildren: 3, children: 3)
        _ = trial.call(.terminate(.slot(0)))
        _ = trial.call(.terminate(.slot(1)))
        _ = trial.end(ref(2))
        _ = trial.pass(to: .seconds(5))
        #expect(trial.states == [0: .abandoned, 1: .abandoned, 2: .waiting])
        #expect(
            trial.call(.start(id: "", .plain()), number: 1).deeds == [
                .reply(call: 1, .refused(.tooManyChildren))
            ]
        )
        _ = trial.end(ref(0), .cancelled)
        #expect(trial.start().starts == [ref(3)])
    }

    @Test("what is asked before the start is done after it, in order")
    func beforeStart() {
        var trial = DynamicTrial()
        #expect(trial.call(.start(id: "", .plain()), number: 1) == [])
        #expect(trial.call(.read, number: 2) == [])
        #expect(trial.call(.find(.slot(0)), number: 3) == [])
        trial.machine.withdraw(2)
        let starting = Standing(state: .starting, since: .zero, generation: 1, until: nil)
        #expect(
            trial.machine.start(at: .zero).deeds == [
                .adopt(call: 1, slot: 0), .start(ref(0)), .reply(call: 3, .found(slot: 0, starting)),
            ]
        )
    }

    @Test("a stop before the start starts nothing, and refuses what was asked")
    func stopBeforeStart() {
        var trial = DynamicTrial()
        _ = trial.call(.start(id: "", .plain()), number: 1)
        #expect(
            trial.stop().deeds == [
                .reply(call: 1, .refused(.notRunning)), .cancelAll, .finish(.requested),
            ]
        )
        #expect(trial.machine.start(at: .zero) == [])
    }

    // MARK: Ending by itself

    static let waysOfEnding: [(Restart, Exit, restarts: Bool)] = [
        (.permanent, .returned, true), (.permanent, .threw, true), (.permanent, .cancelled, true),
        (.transient, .returned, false), (.transient, .threw, true), (.transient, .cancelled, true),
        (.temporary, .returned, false), (.temporary, .threw, false), (.temporary, .cancelled, false),
    ]

    @Test(
        "the restart type decides by the way a child ended, and one that is not restarted is forgotten",
        arguments: waysOfEnding
    )
    func ending(restart: Restart, exit: Exit, restarts: Bool) {
        var trial = DynamicTrial(restart, children: 3)
        let actions = trial.end(ref(1), exit)
        #expect(actions.first == .report(.childEnded(ref(1), exit)))
        #expect(actions.deeds == (restarts ? [.start(ref(1, 2))] : []))
        #expect(actions.contains(.forget(slot: 1)) == !restarts)
        #expect(
            trial.states
                == (restarts ? [0: .running, 1: .starting, 2: .running] : [0: .running, 2: .running])
        )
    }

    @Test(
        "N restarts are allowed and the next one is not, whichever children need them",
        arguments: [0, 1, 4]
    )
    func intensity(maxRestarts: Int) {
        var trial = DynamicTrial(intensity: .init(maxRestarts: maxRestarts, within: .seconds(5)), children: 5)
        for slot in 0..<maxRestarts { #expect(trial.end(ref(slot)).starts == [ref(slot, 2)]) }
        let last = trial.end(ref(maxRestarts))
        #expect(last.stopReason == .gaveUp(ref(maxRestarts)))
        #expect(last.contains(.cancelAll))
    }

    @Test("a restart that fails to start is tried again at once, and counts")
    func failingRestart() {
        var trial = DynamicTrial(intensity: .init(maxRestarts: 2, within: .seconds(5)), children: 1)
        #expect(trial.end(ref(0)).starts == [ref(0, 2)])
        #expect(trial.end(ref(0, 2)).starts == [ref(0, 3)])
        let actions = trial.end(ref(0, 3))
        #expect(actions.stopReason == .gaveUp(ref(0, 3)))
        #expect(actions.last == .finish(.gaveUp(ref(0, 3))))
    }

    @Test("each child has a limit of its own, and the supervisor goes on without the one that exceeds it")
    func limit() {
        var trial = DynamicTrial(
            limit: .init(maxRestarts: 1, within: .seconds(5)),
            intensity: .init(maxRestarts: 0, within: .seconds(5)),
            children: 2
        )
        for slot in 0...1 {
            #expect(trial.end(ref(slot)).starts == [ref(slot, 2)])
            let actions = trial.end(ref(slot, 2))
            #expect(actions.reports.last == .childGivenUp(ref(slot, 2), .limit))
            #expect(actions.contains(.retire(slot: slot)) && actions.contains(.forget(slot: slot)))
        }
        #expect(trial.machine.condition == .running)
        #expect(trial.states == [:])
    }

    @Test("a child with a backoff waits, each as long as it has to")
    func backoff() {
        let backoff = Backoff.exponential(from: .seconds(1), to: .seconds(8), jitter: 0)
        var trial = DynamicTrial(backoff: backoff, children: 2)
        #expect(trial.end(ref(0)).reports.last == .childRestarting(ref(0), after: .seconds(1)))
        #expect(trial.pass(to: .seconds(1)).starts == [ref(0, 2)])
        #expect(
            trial.end(ref(0, 2), at: .seconds(1)).reports.last
                == .childRestarting(ref(0, 2), after: .seconds(2))
        )
        #expect(
            trial.end(ref(1), at: .seconds(1)).reports.last == .childRestarting(ref(1), after: .seconds(1))
        )
        #expect(trial.machine.deadline == .seconds(2))
        #expect(trial.pass(to: .milliseconds(1_999)) == [])
        #expect(trial.pass(to: .seconds(2)).starts == [ref(1, 2)])
        #expect(trial.pass(to: .seconds(3)).starts == [ref(0, 3)])
        #expect(trial.machine.deadline == nil)
    }

    @Test("an error that is to give up the child does so, started or not", arguments: [true, false])
    func giveUpChild(hasStarted: Bool) {
        var trial = DynamicTrial(children: 1)
        _ = trial.call(.start(id: "", .plain()), number: 1)
        if hasStarted { _ = trial.started(ref(1)) }
        let actions = trial.end(ref(1), .threw, .giveUpChild)
        #expect(actions.reports == [.childEnded(ref(1), .threw), .childGivenUp(ref(1), .response)])
        #expect(actions.deeds == (hasStarted ? [] : [.reply(call: 1, .refused(.startFailed(ref(1))))]))
        #expect(trial.states == [0: .running])
    }

    @Test("an error that is to give up the supervisor does so", arguments: Restart.allCases)
    func giveUpSupervisor(restart: Restart) {
        var trial = DynamicTrial(restart, children: 2)
        let actions = trial.end(ref(0), .threw, .giveUpSupervisor)
        #expect(actions.stopReason == .gaveUp(ref(0), .response))
        #expect(actions.deeds == [.cancelAll])
        #expect(trial.end(ref(1), .cancelled).last == .finish(.gaveUp(ref(0), .response)))
    }

    @Test("a child with something left running below it ends the supervisor", arguments: Restart.allCases)
    func leftRunning(restart: Restart) {
        var trial = DynamicTrial(restart, children: 2)
        #expect(trial.end(ref(0), .leftRunning).stopReason == .leftRunning(ref(0)))
        #expect(trial.end(ref(1), .cancelled).last == .finish(.leftRunning(ref(0))))
        #expect(trial.machine.abandoned == [ref(0)])
    }

    @Test("news of an earlier copy, or of one that is gone, is ignored")
    func stale() {
        var trial = DynamicTrial(children: 2)
        _ = trial.end(ref(0))
        #expect(trial.end(ref(0)) == [] && trial.started(ref(0)) == [])
        _ = trial.call(.terminate(.slot(1)))
        _ = trial.end(ref(1))
        #expect(trial.end(ref(1)) == [] && trial.started(ref(1)) == [])
        #expect(trial.end(ref(7)) == [] && trial.started(ref(7)) == [])
    }
}
