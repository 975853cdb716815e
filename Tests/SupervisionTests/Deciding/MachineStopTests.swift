import Testing

@testable import Supervision

@Suite("Decisions: stop")
struct MachineStopTests {
    @Test("where nobody hears of it, what is for readers alone is not reported, and all else is as ever")
    func withoutAudience() {
        let inputs: [Input] = [
            .start, .childStarted(ref(0)), .childStarted(ref(1)),
            .childEnded(ref(0), .threw, response: .restart),
            .childStarted(ref(0, 2)), .stop, .childEnded(ref(1), .cancelled, response: .restart), .time,
        ]
        var heard = Machine([.permanent, .permanent])
        var unheard = heard
        unheard.hasAudience = false
        for input in inputs {
            let actions = heard.give(input, at: .seconds(1))
            let told = unheard.give(input, at: .seconds(1))
            #expect(
                told
                    == actions.filter { action in
                        if case .report(let decision) = action { !decision.isForReaders } else { true }
                    }
            )
        }
        #expect(unheard.condition == .stopping)
    }

    @Test("children stop in reverse order, one after the other")
    func reverse() {
        var machine = Machine([.permanent, .transient, .temporary]).up()
        let first = machine.stopRequested(at: .zero)
        #expect(first == [.report(.stopping(.requested)), .report(.childStopping(ref(2))), .cancel(ref(2))])
        #expect(
            machine.childEnded(ref(2), .cancelled, at: .zero)
                == [
                    .report(.childStopped(ref(2), .cancelled)), .report(.childStopping(ref(1))),
                    .cancel(ref(1)),
                ]
        )
        #expect(machine.childEnded(ref(1), .returned, at: .zero).deeds == [.cancel(ref(0))])
        #expect(machine.childEnded(ref(0), .threw, at: .zero).deeds == [.finish(.requested)])
    }

    @Test("a second request changes nothing")
    func twice() {
        var machine = Machine([.permanent]).up()
        _ = machine.stopRequested(at: .zero)
        #expect(machine.stopRequested(at: .zero) == [])
        _ = machine.childEnded(ref(0), .cancelled, at: .zero)
        #expect(machine.stopRequested(at: .zero) == [])
    }

    @Test("a child that ends before its turn is not restarted", arguments: Restart.allCases)
    func endsBeforeItsTurn(restart: Restart) {
        var machine = Machine([.permanent, restart, .permanent]).up()
        _ = machine.stopRequested(at: .zero)
        #expect(machine.childEnded(ref(1), .threw, at: .zero) == [.report(.childEnded(ref(1), .threw))])
        #expect(machine.childEnded(ref(2), .cancelled, at: .zero).deeds == [.cancel(ref(0))])
    }

    @Test("a stop between a failure and the restart's start cancels the copy that is starting")
    func betweenRestarts() {
        var machine = Machine([.permanent]).up()
        _ = machine.childEnded(ref(0), .threw, at: .zero)
        #expect(machine.stopRequested(at: .zero).deeds == [.cancel(ref(0, 2))])
        #expect(
            machine.childEnded(ref(0, 2), .threw, at: .zero).deeds == [.finish(.requested)]
        )
    }

    @Test("a child is abandoned when its time is up, not before, and the next is stopped")
    func timeout() {
        var machine = Machine(shutdowns: [.timeout(.seconds(1)), .timeout(.seconds(5))]).up()
        #expect(machine.deadline == nil)
        #expect(machine.stopRequested(at: .seconds(10)).deeds == [.cancel(ref(1))])
        #expect(machine.deadline == .seconds(15))
        #expect(machine.deadlineReached(at: .milliseconds(14_999)) == [])
        let actions = machine.deadlineReached(at: .seconds(15))
        #expect(actions.reports.first == .childAbandoned(ref(1), after: .seconds(5)))
        #expect(actions.deeds == [.cancel(ref(0))])
        #expect(
            machine.childEnded(ref(0), .cancelled, at: .seconds(15)).deeds
                == [.finish(.requested)]
        )
        #expect(machine.abandoned == [ref(1)])
    }

    @Test("a graceful child is asked, then cancelled, then abandoned")
    func graceful() {
        var machine = Machine(shutdowns: [.graceful(.seconds(10))]).up()
        #expect(machine.stopRequested(at: .zero).deeds == [.ask(ref(0))])
        #expect(machine.deadline == .seconds(10))
        #expect(
            machine.deadlineReached(at: .seconds(10))
                == [.report(.childOverdue(ref(0), after: .seconds(10))), .cancel(ref(0))]
        )
        #expect(machine.deadline == .seconds(10) + Shutdown.cancellationGrace)
        #expect(
            machine.deadlineReached(at: .seconds(11)).deeds == [.finish(.requested)]
        )
        #expect(machine.abandoned == [ref(0)])
    }

    @Test("a graceful child that ends after its cancellation has stopped")
    func gracefulCancelled() {
        var machine = Machine(shutdowns: [.graceful(.seconds(10))]).up()
        _ = machine.stopRequested(at: .zero)
        _ = machine.deadlineReached(at: .seconds(10))
        #expect(
            machine.childEnded(ref(0), .cancelled, at: .seconds(10)).deeds == [
                .finish(.requested)
            ]
        )
    }

    @Test("an unlimited child is waited for without a deadline")
    func infinity() {
        var machine = Machine(shutdowns: [.infinity]).up()
        #expect(machine.stopRequested(at: .zero).deeds == [.cancel(ref(0))])
        #expect(machine.deadline == nil)
        #expect(machine.deadlineReached(at: .seconds(1_000_000)) == [])
    }

    @Test("a time of zero is up at once")
    func zero() {
        var machine = Machine(shutdowns: [.timeout(.zero)]).up()
        _ = machine.stopRequested(at: .seconds(1))
        #expect(machine.deadlineReached(at: .seconds(1)).deeds == [.finish(.requested)])
        #expect(machine.abandoned == [ref(0)])
    }

    @Test("an abandoned child that ends while others are stopped is no longer left running")
    func lateEnd() {
        var machine = Machine(shutdowns: [.infinity, .timeout(.seconds(1))]).up()
        _ = machine.stopRequested(at: .zero)
        _ = machine.deadlineReached(at: .seconds(1))
        #expect(machine.childEnded(ref(1), .cancelled, at: .seconds(2)).deeds == [])
        #expect(
            machine.childEnded(ref(0), .cancelled, at: .seconds(3)).deeds == [
                .finish(.requested)
            ]
        )
    }

    @Test("something left running below a child that stopped is as good as abandoned")
    func leftRunningWhileStopping() {
        var machine = Machine(shutdowns: [.infinity]).up()
        _ = machine.stopRequested(at: .zero)
        #expect(
            machine.childEnded(ref(0), .leftRunning, at: .zero).deeds == [
                .finish(.requested)
            ]
        )
        #expect(machine.abandoned == [ref(0)])
    }

    @Test("giving up stops the rest in reverse, without the one that failed")
    func givingUp() {
        var machine = Machine(
            [.permanent, .permanent, .permanent],
            intensity: .init(maxRestarts: 0, within: .seconds(1))
        )
        .up()
        #expect(machine.childEnded(ref(1), .threw, at: .zero).deeds == [.cancel(ref(2))])
        #expect(machine.childEnded(ref(2), .cancelled, at: .zero).deeds == [.cancel(ref(0))])
        #expect(
            machine.childEnded(ref(0), .cancelled, at: .zero).deeds == [
                .finish(.gaveUp(ref(1)))
            ]
        )
    }
}
