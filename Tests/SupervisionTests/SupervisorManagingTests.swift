import SupervisionTesting
import Testing

@testable import Supervision

@Suite("Supervisor: children come and go")
struct SupervisorManagingTests {
    @Test("a child that is added is started below the others, and stopped before them")
    func startChild() async throws {
        let trial = Trial(Supervisor { Probe("a") })
        await trial.up()
        #expect(try await trial.supervisor.startChild(Probe("b")) == .started)
        #expect(try await trial.supervisor.startChild(Probe("c")) == .started)
        #expect(try await trial.children() == ["a running", "b running", "c running"])
        #expect(await trial.stop() == nil)
        #expect(
            trial.lines(from: "supervisor stopping: requested") == [
                "supervisor stopping: requested", "c stopping", "c stopped", "b stopping", "b stopped",
                "a stopping", "a stopped", "supervisor stopped",
            ]
        )
    }

    @Test("adding returns when the child has started, not before")
    func startChildWaits() async throws {
        let trial = Trial(Supervisor {})
        await trial.up()
        let probe = Probe("slow", start: .whenTold)
        let start = begun { try await trial.supervisor.startChild(probe) }
        await probe.wait(for: .begun)
        #expect(await trial.supervisor.snapshot()[["slow"]]?.state == .starting)
        probe.start()
        #expect(await start.outcome == "started")
        #expect(await trial.stop() == nil)
    }

    @Test("a child that is added and restarted is an ordinary child")
    func addedChildRestarts() async throws {
        let trial = Trial(Supervisor {})
        await trial.up()
        let probe = Probe("added")
        try await trial.supervisor.startChild(probe)
        probe.fail(Failure())
        await probe.wait(for: .started, count: 2)
        #expect(try await trial.supervisor.whichChild("added").restarts == 1)
        #expect(await trial.stop() == nil)
    }

    @Test("no two children of one id: one that runs and one that does not are told apart")
    func presentAndStarted() async throws {
        let trial = Trial(Supervisor { Probe("a") })
        await trial.up()
        #expect(await code { try await trial.supervisor.startChild(Probe("a")) } == .alreadyStarted)
        try await trial.supervisor.terminateChild("a")
        #expect(await code { try await trial.supervisor.startChild(Probe("a")) } == .alreadyPresent)
        try await trial.supervisor.deleteChild("a")
        #expect(try await trial.supervisor.startChild(Probe("a")) == .started)
        #expect(await trial.stop() == nil)
    }

    @Test("a child that is terminated stays in the list; it can be restarted, or deleted for good")
    func administration() async throws {
        let probe = Probe("a")
        let trial = Trial(Supervisor { probe })
        let supervisor = trial.supervisor
        await trial.up()
        #expect(await code { try await supervisor.restartChild("a") } == .childRunning)
        #expect(await code { try await supervisor.deleteChild("a") } == .childRunning)

        try await supervisor.terminateChild("a")
        #expect(probe.facts.last == .ended)
        #expect(try await trial.children() == ["a terminated"])
        try await supervisor.terminateChild("a")
        #expect(try await supervisor.restartChild("a") == .started)
        #expect(probe.facts.count { $0 == .started } == 2)

        try await supervisor.terminateChild("a")
        try await supervisor.deleteChild("a")
        #expect(try await trial.children() == [])
        #expect(await trial.stop() == nil)
        #expect(trial.recorder.lines.contains("a deleted"))
    }

    @Test("nothing can be done to a child that is not there")
    func notFound() async {
        let trial = Trial(Supervisor { Probe("a") })
        let supervisor = trial.supervisor
        await trial.up()
        #expect(await code { try await supervisor.terminateChild("b") } == .childNotFound)
        #expect(await code { try await supervisor.restartChild("b") } == .childNotFound)
        #expect(await code { try await supervisor.deleteChild("b") } == .childNotFound)
        #expect(await code { try await supervisor.whichChild("b") } == .childNotFound)
        #expect(await code { try await supervisor.childSpec(of: "b") } == .childNotFound)
        #expect(await trial.stop() == nil)
    }

    @Test("a refusal names the child and says what to do")
    func refusal() async {
        let trial = Trial(Supervisor { Supervisor("inner") { Probe("a") } })
        await trial.up()
        let error = await #expect(throws: SupervisorError.self) {
            try await trial.supervisor.deleteChild("inner")
        }
        #expect(error?.path == ["inner"])
        #expect(error?.description == "child \"inner\" runs: terminate it first")
        #expect(await trial.stop() == nil)
    }

    @Test("before the run and after it nothing is managed", arguments: [false, true])
    func notRunning(afterwards: Bool) async {
        let supervisor = Supervisor { Probe("a") }
        if afterwards {
            let trial = Trial(supervisor)
            await trial.up()
            #expect(await trial.stop() == nil)
        }
        #expect(await code { try await supervisor.startChild(Probe("b")) } == .notRunning)
        #expect(await code { try await supervisor.terminateChild("a") } == .notRunning)
        #expect(await code { try await supervisor.restartChild("a") } == .notRunning)
        #expect(await code { try await supervisor.deleteChild("a") } == .notRunning)
        #expect(await code { try await supervisor.whichChildren() } == .notRunning)
        #expect(await code { try await supervisor.countChildren() } == .notRunning)
        #expect(await supervisor.snapshot()[["a"]]?.state == .notStarted)
    }

    @Test("a spec that is wrong is refused before anything is asked of the supervisor")
    func invalidSpec() async {
        let trial = Trial(Supervisor {})
        await trial.up()
        let probe = Probe("a", shutdown: .timeout(.seconds(-1)))
        let error = await #expect(throws: SupervisorError.self) {
            try await trial.supervisor.startChild(probe)
        }
        #expect(error?.code == .invalidTree)
        #expect(error?.details == ["child \"a\" has a shutdown of -1.0 seconds: it must be zero or more"])
        #expect(await code { try await trial.supervisor.startChild(Probe("")) } == .invalidTree)
        #expect(
            await code {
                try await trial.supervisor.startChild(
                    Supervisor("inner") {
                        Probe("x"); Probe("x")
                    }
                )
            } == .invalidTree
        )
        #expect(probe.facts == [])
        #expect(await trial.stop() == nil)
    }

    @Test("a child that cannot be started is forgotten, counts nothing, and its error is the caller's")
    func failedStart() async throws {
        let trial = Trial(
            Supervisor(intensity: .init(maxRestarts: 0, within: .seconds(1))) { Probe("a") }
        )
        await trial.up()
        for restart in Restart.allCases {
            let error = await #expect(throws: SupervisorError.self) {
                try await trial.supervisor.startChild(
                    Probe("b", restart: restart, start: .failing(Failure("no disk")))
                )
            }
            #expect(error?.code == .childFailedToStart)
            #expect(error?.path == ["b"])
            #expect(error?.underlying as? Failure == Failure("no disk"))
        }
        #expect(try await trial.children() == ["a running"])
        #expect(await trial.stop() == nil)
    }

    @Test("a restart by hand that fails leaves the child down, counts nothing, and can be tried again")
    func failedRestart() async throws {
        let probe = Probe("a")
        let trial = Trial(
            Supervisor(intensity: .init(maxRestarts: 0, within: .seconds(1))) { probe }
        )
        await trial.up()
        try await trial.supervisor.terminateChild("a")
        probe.nextStart(.failing(Failure("no disk")))
        for _ in 1...3 {
            #expect(await code { try await trial.supervisor.restartChild("a") } == .childFailedToStart)
        }
        #expect(try await trial.children() == ["a terminated"])
        probe.nextStart(.atOnce)
        #expect(try await trial.supervisor.restartChild("a") == .started)
        #expect(await trial.stop() == nil)
    }

    @Test("a child with nothing to run is kept in the list, a temporary one is not")
    func ignored() async throws {
        let trial = Trial(
            Supervisor {
                ChildSpec("declared", restart: .temporary) { (_: ChildContext) in }
                ChildSpec("kept") { (_: ChildContext) in }
            }
        )
        let supervisor = trial.supervisor
        await trial.up()
        let permanent = ChildSpec("added") { (_: ChildContext) in }
        let temporary = ChildSpec("passing", restart: .temporary) { (_: ChildContext) in }
        #expect(try await supervisor.startChild(permanent) == .ignored)
        #expect(try await supervisor.startChild(temporary) == .ignored)
        #expect(try await trial.children() == ["kept done", "added done"])
        #expect(try await supervisor.restartChild("kept") == .ignored)
        #expect(try await supervisor.countChildren().active == 0)
        #expect(await trial.stop() == nil)
    }

    @Test("a temporary child is forgotten when it has ended, whichever way")
    func temporaryForgotten() async throws {
        let (a, b, c) = (
            Probe("a", restart: .temporary), Probe("b", restart: .temporary), Probe("c", restart: .temporary)
        )
        let trial = Trial(
            Supervisor {
                a; b; c
            }
        )
        await trial.up()
        a.finish()
        b.fail(Failure())
        try await trial.supervisor.terminateChild("c")
        await trial.recorder.wait(for: "a returned")
        await trial.recorder.wait(for: "b failed: broken")
        #expect(try await trial.children() == [])
        #expect(await code { try await trial.supervisor.restartChild("c") } == .childNotFound)
        #expect(try await trial.supervisor.startChild(Probe("c")) == .started)
        #expect(await trial.stop() == nil)
    }

    @Test("counts: all, those that run, those that are supervisors, those that are not")
    func count() async throws {
        let done = Probe("done", restart: .transient)
        let trial = Trial(
            Supervisor {
                done
                Probe("a")
                Supervisor("inner") { Probe("x") }
            }
        )
        await trial.up()
        #expect(
            try await trial.supervisor.countChildren()
                == ChildCount(specs: 3, active: 3, supervisors: 1, workers: 2)
        )
        done.finish()
        await trial.recorder.wait(for: "done returned")
        try await trial.supervisor.startChild(Supervisor("more") {})
        #expect(
            try await trial.supervisor.countChildren()
                == ChildCount(specs: 4, active: 3, supervisors: 2, workers: 2)
        )
        try await trial.supervisor.terminateChild("inner")
        #expect(
            try await trial.supervisor.countChildren()
                == ChildCount(specs: 4, active: 2, supervisors: 2, workers: 2)
        )
        #expect(await trial.stop() == nil)
    }

    @Test("the spec of a child can be read, with its defaults, also where it does not run")
    func spec() async throws {
        let trial = Trial(
            Supervisor {
                ChildSpec("plain") { (child: ChildContext) in
                    child.started()
                    await child.shutdownRequested()
                }
                Supervisor("inner") {}
                Probe("own", restart: .transient, shutdown: .graceful(.seconds(2)))
            }
        )
        let supervisor = trial.supervisor
        await trial.up()
        try await supervisor.terminateChild("own")
        let (plain, inner, own) = (
            try await supervisor.childSpec(of: "plain"),
            try await supervisor.childSpec(of: "inner"),
            try await supervisor.childSpec(of: "own")
        )
        #expect((plain.restart, plain.shutdown) == (.permanent, .timeout(.seconds(5))))
        #expect((inner.restart, inner.shutdown, inner.isSupervisor) == (.permanent, .infinity, true))
        #expect((own.restart, own.shutdown, own.isSupervisor) == (.transient, .graceful(.seconds(2)), false))
        #expect(await trial.stop() == nil)
    }

    @Test("what each child is doing can be read")
    func which() async throws {
        let clock = TestClock()
        let (failing, done, fatal) = (
            Probe("failing"), Probe("done", restart: .transient), Probe("fatal")
        )
        let trial = Trial(
            Supervisor(clock: clock) {
                Supervisor("inner") { Probe("x") }
                failing.backoff(.constant(.seconds(3)))
                done
                fatal.onFailure { _ in .giveUpChild }
            }
        )
        await trial.up()
        failing.fail(Failure("no route"))
        await trial.recorder.wait(for: "failing restarting in 3.0 seconds, 1 time so far")
        done.finish()
        await trial.recorder.wait(for: "done returned")
        fatal.fail(Failure("no licence"))
        await trial.recorder.wait(for: "fatal given up, not started again: no licence")
        clock.advance(by: .seconds(1))
        #expect(
            try await trial.children() == [
                "inner running", "failing waiting", "done done", "fatal given up",
            ]
        )
        let child = try await trial.supervisor.whichChild("failing")
        #expect(child.waitsFor == .restart(left: .seconds(2)))
        #expect(child.lastError as? Failure == Failure("no route"))
        #expect(child.time - child.since == .seconds(1))
        #expect(try await trial.supervisor.whichChild("inner").kind == .supervisor(.oneForOne))
        #expect(await trial.stop() == nil)
    }

    @Test("a supervisor that is restarted begins with the children that it was made with")
    func addedChildrenAreOfOneRun() async throws {
        let bad = Probe("bad")
        let inner = Supervisor("inner", intensity: .init(maxRestarts: 0, within: .seconds(1))) {
            bad; Probe("made")
        }
        let trial = Trial(Supervisor { inner })
        await trial.up()
        try await inner.startChild(Probe("added"))
        try await inner.terminateChild("made")
        try await inner.deleteChild("made")
        #expect(try await inner.whichChildren().map(\.id) == ["bad", "added"])
        bad.fail(Failure())
        await trial.recorder.wait(for: "supervisor inner started", count: 2)
        #expect(try await inner.whichChildren().map(\.id) == ["bad", "made"])
        #expect(await trial.stop() == nil)
    }

    @Test("a terminated child that will not stop is abandoned and named, and the supervisor goes on")
    func terminatedButAbandoned() async throws {
        let clock = TestClock()
        let hung = Probe("hung", ignoresStop: true)
        let trial = Trial(
            Supervisor(clock: clock) {
                Probe("a"); hung
            }
        )
        let supervisor = trial.supervisor
        await trial.up()
        let terminate = Task { try await supervisor.terminateChild("hung") }
        await hung.wait(for: .cancelled)
        await clock.sleepers(atLeast: 1)
        clock.advance(by: .seconds(5))
        #expect(await terminate.outcome == "childrenAbandoned")
        #expect(try await trial.children() == ["a running", "hung abandoned"])
        #expect(await code { try await supervisor.restartChild("hung") } == .childRunning)
        #expect(await code { try await supervisor.deleteChild("hung") } == .childRunning)

        hung.finish()
        await trial.recorder.wait(for: "hung stopped")
        #expect(try await supervisor.restartChild("hung") == .started)
        supervisor.stop()
        hung.finish()
        #expect(await trial.error() == nil)
    }
}
