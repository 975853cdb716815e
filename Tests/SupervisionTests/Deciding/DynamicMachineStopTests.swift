import Testing

@testable import Supervision

@Suite("Decisions: stopping dynamic children")
struct DynamicMachineStopTests {
    // MARK: One of them

    @Test(
        "a child that is terminated is forgotten when it has ended",
        arguments: [Exit.returned, .threw, .cancelled]
    )
    func terminate(exit: Exit) {
        var trial = DynamicTrial(children: 2)
        #expect(
            trial.call(.terminate(.slot(0)), number: 1) == [
                .report(.childStopping(ref(0))), .cancel(ref(0)),
            ]
        )
        #expect(
            trial.end(ref(0), exit) == [
                .report(.childStopped(ref(0), exit)), .retire(slot: 0), .forget(slot: 0),
                .reply(call: 1, .done),
            ]
        )
        #expect(trial.states == [1: .running])
    }

    @Test("who asks a second time waits for the same end, and a third finds nobody")
    func twice() {
        var trial = DynamicTrial(children: 1)
        _ = trial.call(.terminate(.slot(0)), number: 1)
        #expect(trial.call(.terminate(.slot(0)), number: 2) == [])
        #expect(trial.end(ref(0), .cancelled).deeds == [.reply(call: 1, .done), .reply(call: 2, .done)])
        #expect(trial.call(.terminate(.slot(0)), number: 3) == [.reply(call: 3, .refused(.notFound))])
    }

    @Test("a graceful child is asked, then cancelled, then abandoned, and all who asked hear of it")
    func overdue() {
        var trial = DynamicTrial(shutdown: .graceful(.seconds(3)), children: 2)
        #expect(trial.call(.terminate(.slot(0)), number: 1).deeds == [.ask(ref(0))])
        _ = trial.call(.terminate(.slot(0)), number: 2)
        #expect(trial.machine.deadline == .seconds(3))
        #expect(trial.pass(to: .milliseconds(2_999)) == [])
        #expect(
            trial.pass(to: .seconds(3)) == [
                .report(.childOverdue(ref(0), after: .seconds(3))), .cancel(ref(0)),
            ]
        )
        let refused = Reply.refused(.abandoned(ref(0)))
        #expect(
            trial.pass(to: .seconds(4)) == [
                .report(.childAbandoned(ref(0), after: .seconds(4))), .retire(slot: 0),
                .reply(call: 1, refused), .reply(call: 2, refused),
            ]
        )
        #expect(trial.call(.terminate(.slot(0)), number: 3) == [.reply(call: 3, refused)])
        #expect(trial.machine.condition == .running, "the others go on")
        #expect(trial.end(ref(0), .cancelled).contains(.forget(slot: 0)))
    }

    @Test("a child that has not started is told as any other, and its start has failed")
    func terminateStarting() {
        var trial = DynamicTrial(shutdown: .graceful(.seconds(3)), children: 1)
        _ = trial.call(.start(id: "", .plain()), number: 1)
        #expect(
            trial.call(.terminate(.slot(1)), number: 2).deeds == [
                .ask(ref(1)), .reply(call: 1, .refused(.startFailed(ref(1)))),
            ]
        )
        #expect(trial.started(ref(1)) == [], "too late")
        #expect(trial.end(ref(1), .cancelled).deeds == [.reply(call: 2, .done)])
    }

    @Test("a child that waits for its restart is terminated at once, and never started")
    func terminateWaiting() {
        var trial = DynamicTrial(backoff: .constant(.seconds(1)), children: 1)
        _ = trial.end(ref(0))
        let actions = trial.call(.terminate(.slot(0)), number: 1)
        #expect(actions.deeds == [.reply(call: 1, .done)])
        #expect(actions.contains(.retire(slot: 0)) && actions.contains(.forget(slot: 0)))
        #expect(trial.pass(to: .seconds(1)) == [])
        #expect(trial.machine.deadline == nil)
    }

    @Test("a child that leaves something running when it is terminated is as good as abandoned")
    func terminateLeftRunning() {
        var trial = DynamicTrial(children: 1)
        _ = trial.call(.terminate(.slot(0)), number: 1)
        #expect(trial.end(ref(0), .leftRunning).deeds == [.reply(call: 1, .refused(.abandoned(ref(0))))])
        #expect(trial.stop().last == .finish(.requested))
        #expect(trial.machine.abandoned == [ref(0)])
    }

    @Test("an abandoned child that ends but leaves something running is still abandoned")
    func lateLeftRunning() {
        var trial = DynamicTrial(children: 1)
        _ = trial.call(.terminate(.slot(0)))
        _ = trial.pass(to: .seconds(5))
        #expect(trial.end(ref(0), .leftRunning) == [.report(.childStopped(ref(0), .leftRunning))])
        #expect(trial.stop().last == .finish(.requested))
        #expect(trial.machine.abandoned == [ref(0)])
    }

    @Test("calls that need names or a child that has ended find nothing")
    func unknown() {
        var trial = DynamicTrial(children: 1)
        let calls: [Call] = [
            .terminate(.id("0")), .find(.id("0")), .restart(.slot(0)), .restart(.id("0")), .delete(.slot(0)),
            .delete(.id("0")), .terminate(.slot(5)), .find(.slot(5)), .terminate(.slot(-1)),
        ]
        for call in calls {
            #expect(trial.call(call, number: 1) == [.reply(call: 1, .refused(.notFound))], "\(call)")
        }
        #expect(trial.call(.read, number: 2) == [.reply(call: 2, .done)])
        let running = Standing(state: .running, since: .zero, generation: 1, until: nil)
        #expect(trial.call(.find(.slot(0)), number: 3) == [.reply(call: 3, .found(slot: 0, running))])
    }

    // MARK: All of them

    @Test("in the end all are told at once, and the supervisor ends with the last of them")
    func stopAll() {
        var trial = DynamicTrial(children: 3)
        #expect(trial.stop() == [.report(.stopping(.requested)), .cancelAll])
        #expect(trial.stop() == [])
        #expect(trial.machine.condition == .stopping)
        #expect(trial.end(ref(1), .cancelled).deeds == [])
        #expect(trial.end(ref(2), .threw).deeds == [], "none is restarted")
        #expect(trial.end(ref(0), .returned).deeds == [.finish(.requested)])
        #expect(trial.machine.condition == .ended)
    }

    @Test("they have one time in common, and those that exceed it are abandoned together")
    func overdueAll() {
        var trial = DynamicTrial(shutdown: .timeout(.seconds(5)), children: 3)
        _ = trial.stop(at: .seconds(10))
        _ = trial.end(ref(1), .cancelled, at: .seconds(11))
        #expect(trial.machine.deadline == .seconds(15))
        #expect(trial.pass(to: .milliseconds(14_999)) == [])
        let actions = trial.pass(to: .seconds(15))
        #expect(
            actions.reports == [
                .childAbandoned(ref(0), after: .seconds(5)), .childAbandoned(ref(2), after: .seconds(5)),
                .stopped,
            ]
        )
        #expect(actions.last == .finish(.requested))
        #expect(trial.machine.abandoned == [ref(0), ref(2)])
    }

    @Test("their time counts from when the last of them has been told")
    func told() {
        var trial = DynamicTrial(shutdown: .timeout(.seconds(5)), children: 2)
        _ = trial.machine.stopRequested(at: .zero)
        #expect(trial.machine.deadline == .seconds(5))
        trial.machine.allTold(at: .seconds(2))
        #expect(trial.machine.deadline == .seconds(7))
        #expect(trial.pass(to: .seconds(5)) == [])
    }

    @Test("graceful children are asked, started or not, and the late ones are cancelled")
    func gracefulAll() {
        var trial = DynamicTrial(shutdown: .graceful(.seconds(5)), children: 2)
        _ = trial.call(.start(id: "", .plain()), number: 1)
        #expect(trial.stop().deeds == [.askAll])
        _ = trial.end(ref(2), .cancelled)
        _ = trial.end(ref(0), .returned)
        #expect(
            trial.pass(to: .seconds(5)) == [
                .report(.childOverdue(ref(1), after: .seconds(5))), .cancel(ref(1)),
            ]
        )
        #expect(trial.machine.deadline == .seconds(6))
        #expect(trial.pass(to: .seconds(6)).last == .finish(.requested))
        #expect(trial.machine.abandoned == [ref(1)])
    }

    @Test("without a limit they are waited for without a deadline")
    func infinity() {
        var trial = DynamicTrial(shutdown: .infinity, children: 1)
        _ = trial.stop()
        #expect(trial.machine.deadline == nil)
        #expect(trial.pass(to: .seconds(1_000_000)) == [])
        #expect(trial.end(ref(0), .cancelled).deeds == [.finish(.requested)])
    }

    @Test("who waits for a start or for an end is answered when the supervisor stops")
    func callersAtTheEnd() {
        var trial = DynamicTrial(children: 1)
        _ = trial.call(.start(id: "", .plain()), number: 1)
        _ = trial.call(.terminate(.slot(0)), number: 2)
        #expect(trial.stop().deeds == [.reply(call: 2, .refused(.notRunning)), .cancelAll])
        #expect(trial.call(.start(id: "", .plain()), number: 3) == [.reply(call: 3, .refused(.notRunning))])
        #expect(trial.end(ref(0), .cancelled).deeds == [])
        #expect(
            trial.end(ref(1), .cancelled).deeds == [
                .reply(call: 1, .refused(.notRunning)), .finish(.requested),
            ]
        )
    }

    @Test("a start that succeeds while the supervisor stops has succeeded")
    func startedWhileStopping() {
        var trial = DynamicTrial(children: 1)
        _ = trial.call(.start(id: "", .plain()), number: 1)
        _ = trial.stop()
        #expect(trial.started(ref(1)).deeds == [.reply(call: 1, .started(ref(1)))])
    }

    @Test("who waits for the start of a child that is abandoned is answered")
    func abandonedStart() {
        var trial = DynamicTrial(children: 1)
        _ = trial.call(.start(id: "", .plain()), number: 1)
        _ = trial.stop()
        #expect(trial.pass(to: .seconds(5)).contains(.reply(call: 1, .refused(.notRunning))))
    }

    @Test("children that wait to be started again are not, when the supervisor stops")
    func stopWhileWaiting() {
        var trial = DynamicTrial(backoff: .constant(.seconds(1)), children: 2)
        _ = trial.end(ref(0))
        let actions = trial.stop()
        #expect(actions.contains(.retire(slot: 0)) && actions.contains(.forget(slot: 0)))
        #expect(trial.machine.deadline == .seconds(5), "that of the one that runs")
        #expect(trial.end(ref(1), .cancelled).last == .finish(.requested))
    }

    @Test("a child that is being stopped already has the common time, too")
    func stopWhileTerminating() {
        var trial = DynamicTrial(children: 1)
        _ = trial.call(.terminate(.slot(0)), number: 1)
        _ = trial.stop(at: .seconds(4))
        #expect(trial.machine.deadline == .seconds(9))
        #expect(trial.pass(to: .seconds(5)) == [])
        #expect(trial.pass(to: .seconds(9)).last == .finish(.requested))
        #expect(trial.machine.abandoned == [ref(0)])
    }

    @Test("a child that was abandoned before is not waited for, unless it ends in time")
    func abandonedBefore() {
        var trial = DynamicTrial(children: 2)
        _ = trial.call(.terminate(.slot(0)))
        _ = trial.pass(to: .seconds(5))
        var other = trial
        _ = trial.stop(at: .seconds(6))
        _ = other.stop(at: .seconds(6))
        #expect(trial.end(ref(1), .cancelled).last == .finish(.requested))
        #expect(trial.machine.abandoned == [ref(0)])
        _ = other.end(ref(0), .cancelled)
        #expect(other.end(ref(1), .cancelled).last == .finish(.requested))
    }
}
