import Testing

@testable import Supervision

@Suite("Decisions: start")
struct MachineStartTests {
    @Test("children start one after the other, each after the one above has started")
    func inOrder() {
        var machine = Machine([.permanent, .permanent, .permanent])
        #expect(machine.start() == [.report(.starting), .report(.childStarting(ref(0))), .start(ref(0))])
        #expect(machine.childStarted(ref(0)).deeds == [.start(ref(1))])
        #expect(machine.childStarted(ref(1)).deeds == [.start(ref(2))])
        #expect(machine.childStarted(ref(2)) == [.report(.childStarted(ref(2))), .report(.started)])
    }

    @Test("a supervisor without children is started at once and runs on")
    func empty() {
        var machine = Machine([])
        #expect(machine.start() == [.report(.starting), .report(.started)])
        #expect(
            machine.stopRequested(at: .zero)
                == [.report(.stopping(.requested)), .report(.stopped), .finish(.requested)]
        )
    }

    @Test("a child that returns before it has started has nothing to run", arguments: Restart.allCases)
    func ignored(restart: Restart) {
        var machine = Machine([restart, .permanent])
        _ = machine.start()
        let actions = machine.childEnded(ref(0), .returned, at: .zero)
        #expect(actions.reports.first == .childIgnored(ref(0)))
        #expect(actions.deeds == [.start(ref(1))])
        _ = machine.childStarted(ref(1))
        #expect(machine.stopRequested(at: .zero).deeds == [.cancel(ref(1))], "it is not there to be stopped")
    }

    @Test(
        "a child that fails to start fails the start, and those before it are stopped in reverse",
        arguments: Restart.allCases,
        [Exit.threw, .cancelled]
    )
    func startFails(restart: Restart, exit: Exit) {
        var machine = Machine([.permanent, .permanent, restart, .permanent])
        _ = machine.start()
        _ = machine.childStarted(ref(0))
        _ = machine.childStarted(ref(1))
        let actions = machine.childEnded(ref(2), exit, at: .zero)
        #expect(actions.stopReason == .startFailed(ref(2)))
        #expect(actions.deeds == [.cancel(ref(1))])
        #expect(machine.childEnded(ref(1), .cancelled, at: .zero).deeds == [.cancel(ref(0))])
        #expect(
            machine.childEnded(ref(0), .cancelled, at: .zero).deeds
                == [.finish(.startFailed(ref(2)))]
        )
    }

    @Test("a child that failed during the start is up again before the next one starts")
    func failureDuringStart() {
        var machine = Machine([.permanent, .permanent, .permanent])
        _ = machine.start()
        _ = machine.childStarted(ref(0))
        #expect(machine.childEnded(ref(0), .threw, at: .zero).deeds == [.start(ref(0, 2))])
        #expect(machine.childStarted(ref(1)).deeds == [], "child 0 is on its way")
        #expect(machine.childStarted(ref(0, 2)).deeds == [.start(ref(2))])
    }

    @Test("a restart that fails to start during the start is tried again: the start has not failed")
    func failingRestartDuringStart() {
        var machine = Machine([.permanent, .permanent])
        _ = machine.start()
        _ = machine.childStarted(ref(0))
        _ = machine.childEnded(ref(0), .threw, at: .zero)
        #expect(machine.childEnded(ref(0, 2), .threw, at: .zero).deeds == [.start(ref(0, 3))])
    }

    @Test("a child that ended for good during the start does not hold it up")
    func endDuringStart() {
        var machine = Machine([.temporary, .permanent, .permanent])
        _ = machine.start()
        _ = machine.childStarted(ref(0))
        _ = machine.childEnded(ref(0), .threw, at: .zero)
        #expect(machine.childStarted(ref(1)).deeds == [.start(ref(2))])
    }

    @Test("giving up during the start ends the start")
    func givingUpDuringStart() {
        var machine = Machine(
            [.permanent, .permanent],
            intensity: .init(maxRestarts: 0, within: .seconds(1))
        )
        _ = machine.start()
        _ = machine.childStarted(ref(0))
        let actions = machine.childEnded(ref(0), .threw, at: .zero)
        #expect(actions.stopReason == .gaveUp(ref(0)))
        #expect(actions.deeds == [.cancel(ref(1))])
        #expect(
            machine.childEnded(ref(1), .cancelled, at: .zero).deeds == [
                .finish(.gaveUp(ref(0)))
            ]
        )
    }

    @Test("a stop before the start starts nothing")
    func stopBeforeStart() {
        var machine = Machine([.permanent])
        #expect(machine.stopRequested(at: .zero).deeds == [.finish(.requested)])
        #expect(machine.start() == [])
    }

    @Test(
        "a stop during a start tells the child that is starting, too, as its shutdown says",
        arguments: [
            (Shutdown.graceful(.seconds(9)), Action.ask(ref(1))),
            (.timeout(.seconds(9)), .cancel(ref(1))),
        ]
    )
    func stopDuringStart(shutdown: Shutdown, telling: Action) {
        var machine = Machine(shutdowns: [.infinity, shutdown, .infinity])
        _ = machine.start()
        _ = machine.childStarted(ref(0))
        #expect(machine.stopRequested(at: .seconds(1)).deeds == [telling])
        #expect(machine.deadline == .seconds(10))
        #expect(machine.childStarted(ref(1)) == [], "too late to be of interest")
        #expect(machine.childEnded(ref(1), .cancelled, at: .seconds(2)).deeds == [.cancel(ref(0))])
    }
}
