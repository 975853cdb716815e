import SupervisionTesting
import Testing

@testable import Supervision

@Suite("Supervisor: children come and go")
struct SupervisorManagingTests {
    @Test("a child that is added is started below the others, and stopped before them")
    func startChild() async throws {
        let trial = SupervisorTrial(Supervisor { Probe("a") })
        try await trial.started()
        #expect(try await trial.supervisor.startChild(Probe("b")) == .started)
        #expect(try await trial.supervisor.startChild(Probe("c")) == .started)
        #expect(try await trial.children() == ["a running", "b running", "c running"])
        #expect(await trial.stop() == nil)
        #expect(
            trial.story.lines(from: "supervisor stopping: requested") == [
                "supervisor stopping: requested", "c stopping", "c stopped", "b stopping", "b stopped",
                "a stopping", "a stopped", "supervisor stopped",
            ]
        )
    }

    @Test("adding returns when the child has started, not before")
    func startChildWaits() async throws {
        let trial = SupervisorTrial(Supervisor {})
        try await trial.started()
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
        let trial = SupervisorTrial(Supervisor {})
        try await trial.started()
        let probe = Probe("added")
        try await trial.supervisor.startChild(probe)
        probe.fail()
        await probe.wait(for: .started, count: 2)
        #expect(try await trial.supervisor.whichChild("added").restarts == 1)
        #expect(await trial.stop() == nil)
    }

    @Test("no two children of one id: one that runs and one that does not are told apart")
    func presentAndStarted() async throws {
        let trial = SupervisorTrial(Supervisor { Probe("a") })
        try await trial.started()
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
        let trial = SupervisorTrial(Supervisor { probe })
        let supervisor = trial.supervisor
        try await trial.started()
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
        try trial.story.expect("a deleted", times: 1)
    }

    @Test("nothing can be done to a child that is not there")
    func notFound() async throws {
        let trial = SupervisorTrial(Supervisor { Probe("a") })
        let supervisor = trial.supervisor
        try await trial.started()
        #expect(await code { try await supervisor.terminateChild("b") } == .childNotFound)
        #expect(await code { try await supervisor.restartChild("b") } == .childNotFound)
        #expect(await code { try await supervisor.deleteChild("b") } == .childNotFound)
        #expect(await code { try await supervisor.whichChild("b") } == .childNotFound)
        #expect(await code { try await supervisor.childSpec(of: "b") } == .childNotFound)
        #expect(await trial.stop() == nil)
    }

    @Test("a refusal names the child and says what to do")
    func refusal() async throws {
        let trial = SupervisorTrial(Supervisor { Supervisor("inner") { Probe("a") } })
        try await trial.started()
        let error = await #expect(throws: SupervisorError.self) {
            try await trial.supervisor.deleteChild("inner")
        }
        #expect(error?.path == ["inner"])
        #expect(error?.description == "child \"inner\" runs: terminate it first")
        #expect(await trial.stop() == nil)
    }

    @Test("before the run and after it nothing is managed", arguments: [false, true])
    func notRunning(afterwards: Bool) async throws {
        let supervisor = Supervisor { Probe("a") }
        if afterwards {
            let trial = SupervisorTrial(supervisor)
            try await trial.started()
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
    func invalidSpec() async throws {
        let trial = SupervisorTrial(Supervisor {})
        try await trial.started()
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
        let trial = SupervisorTrial(
            Supervisor(intensity: .init(maxRestarts: 0, within: .seconds(1))) { Probe("a") }
        )
        try await trial.started()
        for restart in Restart.allCases {
            let error = await #expect(throws: SupervisorError.self) {
                try await trial.supervisor.startChild(
                    Probe("b", restart: restart, start: .failing(InjectedFailure("no disk")))
                )
            }
            #expect(error?.code == .childFailedToStart)
            #expect(error?.path == ["b"])
            #expect(error?.underlying as? InjectedFailure == InjectedFailure("no disk"))
        }
        #expect(try await trial.children() == ["a running"])
        #expect(await trial.stop() == nil)
    }

    @Test("a restart by hand that fails leaves the child down, counts nothing, and can be tried again")
    func failedRestart() async throws {
        let probe = Probe("a")
        let trial = SupervisorTrial(
            Supervisor(intensity: .init(maxRestarts: 0, within: .seconds(1))) { probe }
        )
        try await trial.started()
        try await trial.supervisor.terminateChild("a")
        probe.nextStart(.failing(InjectedFailure("no disk")))
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
        let trial = SupervisorTrial(
            Supervisor {
                ChildSpec("declared", restart: .temporary) { (_: ChildContext) in }
                ChildSpec("kept") { (_: ChildContext) in }
            }
        )
        let supervisor = trial.supervisor
        try await trial.started()
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
        let trial = SupervisorTrial(
            Supervisor {
                a; b; c
            }
        )
        try await trial.started()
        a.finish()
        b.fail()
        try await trial.supervisor.terminateChild("c")
        try await trial.story.wait(for: "a returned")
        try await trial.story.wait(for: "b failed: failed by the test")
        #expect(try await trial.children() == [])
        #expect(await code { try await trial.supervisor.restartChild("c") } == .childNotFound)
        #expect(try await trial.supervisor.startChild(Probe("c")) == .started)
        #expect(await trial.stop() == nil)
    }

    @Test("counts: all, those that run, those that are supervisors, those that are not")
    func count() async throws {
        let done = Probe("done", restart: .transient)
        let trial = SupervisorTrial(
            Supervisor {
                done
                Probe("a")
                Supervisor("inner") { Probe("x") }
            }
        )
        try await trial.started()
        #expect(
            try await trial.supervisor.countChildren()
                == ChildCount(specs: 3, active: 3, supervisors: 1, workers: 2)
        )
        done.finish()
        try await trial.story.wait(for: "done returned")
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
        let trial = SupervisorTrial(
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
        try await trial.started()
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
        let (failing, done, fatal) = (
            Probe("failing"), Probe("done", restart: .transient), Probe("fatal")
        )
        let trial = SupervisorTrial(
            Supervisor {
                Supervisor("inner") { Probe("x") }
                failing.backoff(.constant(.seconds(3)))
                done
                fatal.onFailure { _ in .giveUpChild }
            }
        )
        try await trial.started()
        failing.fail(InjectedFailure("no route"))
        try await trial.story.wait(for: "failing restarting in 3.0 seconds, 1 time so far")
        done.finish()
        try await trial.story.wait(for: "done returned")
        fatal.fail(InjectedFailure("no licence"))
        try await trial.story.wait(for: "fatal given up, not started again: no licence")
        trial.clock.advance(by: .seconds(1))
        #expect(
            try await trial.children() == [
                "inner running", "failing waiting", "done done", "fatal given up",
            ]
        )
        let child = try await trial.supervisor.whichChild("failing")
        #expect(child.waitsFor == .restart(left: .seconds(2)))
        #expect(child.lastError as? InjectedFailure == InjectedFailure("no route"))
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
        let trial = SupervisorTrial(Supervisor { inner })
        try await trial.started()
        try await inner.startChild(Probe("added"))
        try await inner.terminateChild("made")
        try await inner.deleteChild("made")
        #expect(try await inner.whichChildren().map(\.id) == ["bad", "added"])
        bad.fail()
        try await trial.story.wait(for: "supervisor inner started", count: 2)
        #expect(try await inner.whichChildren().map(\.id) == ["bad", "made"])
        #expect(await trial.stop() == nil)
    }

    @Test("a terminated child that will not stop is abandoned and named, and the supervisor goes on")
    func terminatedButAbandoned() async throws {
        let hung = Probe("hung", ignoresStop: true)
        let trial = SupervisorTrial(
            Supervisor {
                Probe("a"); hung
            }
        )
        let supervisor = trial.supervisor
        try await trial.started()
        let terminate = Task { try await supervisor.terminateChild("hung") }
        await hung.wait(for: .cancelled)
        trial.clock.advance(by: .seconds(5))
        #expect(await terminate.outcome == "childrenAbandoned")
        #expect(try await trial.children() == ["a running", "hung abandoned"])
        #expect(await code { try await supervisor.restartChild("hung") } == .childRunning)
        #expect(await code { try await supervisor.deleteChild("hung") } == .childRunning)

        hung.finish()
        try await trial.story.wait(for: "hung stopped")
        #expect(try await supervisor.restartChild("hung") == .started)
        supervisor.stop()
        hung.finish()
        #expect(await trial.end() == nil)
    }
}
