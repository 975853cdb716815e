import Supervision
import SupervisionTesting
import Testing

@Suite("Supervisor: stop")
struct SupervisorStopTests {
    @Test("stop() stops the children in reverse order, nested ones inside their place")
    func order() async throws {
        let trial = SupervisorTrial(
            Supervisor {
                Probe("a")
                Supervisor("inner") {
                    Probe("x"); Probe("y")
                }
                Probe("z")
            }
        )
        try await trial.started()
        #expect(await trial.stop() == nil)
        #expect(
            trial.story.lines(from: "supervisor stopping: requested") == [
                "supervisor stopping: requested", "z stopping", "z stopped",
                "inner stopping", "supervisor inner stopping: requested",
                "inner/y stopping", "inner/y stopped", "inner/x stopping", "inner/x stopped",
                "supervisor inner stopped", "inner stopped",
                "a stopping", "a stopped", "supervisor stopped",
            ]
        )
    }

    @Test("cancelling the task that runs the tree is the same orderly stop")
    func cancellation() async throws {
        let (a, b) = (Probe("a", shutdown: .graceful(.seconds(5)), ignoresStop: true), Probe("b"))
        let trial = SupervisorTrial(
            Supervisor {
                a; b
            }
        )
        try await trial.started()
        trial.cancel()
        await a.wait(for: .stopRequested)
        #expect(!a.facts.contains(.cancelled), "it is asked, and has its time")
        a.finish()
        #expect(await trial.end() == nil, "and no error is thrown")
        #expect(
            trial.story.lines(from: "supervisor stopping: requested") == [
                "supervisor stopping: requested", "b stopping", "b stopped", "a stopping", "a stopped",
                "supervisor stopped",
            ]
        )
    }

    @Test("a stop before the run starts nothing")
    func beforeRun() async {
        let probe = Probe("a")
        let supervisor = Supervisor { probe }
        supervisor.stop()
        let trial = SupervisorTrial(supervisor)
        #expect(await trial.end() == nil)
        #expect(probe.facts == [])
    }

    @Test("a task that was cancelled before the run starts nothing")
    func cancelledBeforeRun() async throws {
        let probe = Probe("a")
        let supervisor = Supervisor { probe }
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await supervisor.run()
        }
        try await task.value
        #expect(probe.facts == [])
    }

    @Test(
        "a stop during a start cancels the child that is starting and stops the others",
        arguments: [true, false]
    )
    func duringStart(byCancellation: Bool) async {
        let (a, b, c) = (
            Probe("a"), Probe("b", shutdown: .graceful(.seconds(9)), start: .whenTold), Probe("c")
        )
        let trial = SupervisorTrial(
            Supervisor {
                a; b; c
            }
        )
        await b.wait(for: .begun)
        if byCancellation { trial.cancel() } else { trial.supervisor.stop() }
        #expect(await trial.end() == nil)
        #expect(b.facts.contains(.cancelled))
        #expect(c.facts == [])
        #expect(
            trial.story.lines(from: "supervisor stopping: requested") == [
                "supervisor stopping: requested", "b stopping", "b stopped", "a stopping", "a stopped",
                "supervisor stopped",
            ]
        )
    }

    @Test(
        "one that starts while it is decided that it is to stop is asked, although nobody has heard of its start"
    )
    func startedMeanwhile() async throws {
        let below = Recorder<ChildContext>()
        let isCancelled = Recorder<Bool>()
        let above = Probe("above")
        let trial = SupervisorTrial(
            Supervisor(strategy: .restForOne) {
                above.onFailure { _ in
                    // The supervisor deals with the failure, and reads nothing else before it has.
                    below.all.last?.started()
                    return .restart
                }
                ChildSpec("below", shutdown: .graceful(.seconds(9))) { child in
                    below.add(child)
                    await child.shutdownRequested()
                    isCancelled.add(Task.isCancelled)
                }
            }
        )
        await below.wait(forCount: 1)
        above.fail()
        await below.wait(forCount: 2)
        #expect(isCancelled.all == [false])
        #expect(await trial.stop() == nil)
    }

    @Test("a stop while a child is being restarted ends the restart")
    func duringRestart() async throws {
        let probe = Probe("a")
        let trial = SupervisorTrial(Supervisor { probe })
        try await trial.started()
        probe.nextStart(.whenTold)
        probe.fail()
        await probe.wait(for: .begun, count: 2)
        #expect(await trial.stop() == nil)
        #expect(probe.facts.count { $0 == .begun } == 2)
    }

    @Test("a supervisor that has time to stop begins with it at once")
    func gracefulSupervisor() async throws {
        let trial = SupervisorTrial(
            Supervisor {
                Supervisor("inner", shutdown: .graceful(.seconds(30))) {
                    Probe("a")
                    Probe("b", shutdown: .graceful(.seconds(9)))
                }
            }
        )
        try await trial.started()
        #expect(await trial.stop() == nil)
        try trial.story.expect(stopOrder: "inner/b", "inner/a")
        try trial.story.expect(.cancellation(of: "inner"), times: 0)
    }

    @Test("a graceful child is asked first, cancelled when its time is up")
    func graceful() async throws {
        let probe = Probe("a", shutdown: .graceful(.seconds(10)), ignoresStop: true)
        let trial = SupervisorTrial(Supervisor { probe })
        try await trial.started()
        trial.supervisor.stop()
        await probe.wait(for: .stopRequested)
        trial.clock.advance(by: .seconds(10))
        await probe.wait(for: .cancelled)
        probe.finish()
        #expect(await trial.end() == nil)
        try trial.story.expect("a cancelled, has not stopped in 10.0 seconds", times: 1)
    }

    @Test("a child that will not stop is named, and the others are stopped all the same")
    func abandoned() async throws {
        let (a, b) = (Probe("a"), Probe("b", shutdown: .timeout(.seconds(5)), ignoresStop: true))
        let trial = SupervisorTrial(
            Supervisor {
                a; Supervisor("inner") { b }
            }
        )
        try await trial.started()
        trial.supervisor.stop()
        await b.wait(for: .cancelled)
        trial.clock.advance(by: .seconds(5))
        let error = await trial.end()
        #expect(error?.code == .childrenAbandoned)
        #expect(error?.abandoned == [["inner", "b"]])
        #expect(error?.description == "still running after its time was up: \"inner/b\"")
        try trial.story.expect("inner/b abandoned, still running after 5.0 seconds", times: 1)
        #expect(a.facts.last == .ended)
        #expect(!b.facts.contains(.ended))
        b.finish()
        await b.wait(for: .ended)
    }

    @Test("of very many that were abandoned the error has all, and its text the first ten")
    func manyAbandoned() async throws {
        let hung = (0..<12).map { Probe("\($0)", ignoresStop: true) }
        let trial = SupervisorTrial(Supervisor { hung })
        try await trial.started()
        trial.supervisor.stop()
        for probe in hung.reversed() {
            await probe.wait(for: .cancelled)
            trial.clock.advance(by: .seconds(5))
        }
        let error = await trial.end()
        #expect(error?.abandoned.count == 12)
        #expect(
            error?.description.hasSuffix("\"2\", \"3\", \"4\", \"5\", \"6\", \"7\", \"8\", \"9\", and 2 more")
                == true
        )
        for probe in hung {
            probe.finish()
            await probe.wait(for: .ended)
        }
    }

    @Test("a supervisor that left a child running is not restarted: the whole tree ends")
    func neverDoubled() async throws {
        let (bad, hung) = (Probe("bad"), Probe("hung", ignoresStop: true))
        let trial = SupervisorTrial(
            Supervisor(intensity: .init(maxRestarts: 100, within: .seconds(1))) {
                Probe("other")
                Supervisor("inner", intensity: .init(maxRestarts: 0, within: .seconds(1))) {
                    hung; bad
                }
            }
        )
        try await trial.started()
        bad.fail()
        await hung.wait(for: .cancelled)
        trial.clock.advance(by: .seconds(5))
        let error = await trial.end()
        #expect(error?.code == .gaveUp)
        #expect(error?.path == ["inner", "bad"])
        #expect(error?.abandoned == [["inner", "hung"]])
        #expect(trial.story.lines.suffix(3) == ["other stopping", "other stopped", "supervisor stopped"])
        hung.finish()
        await hung.wait(for: .ended)
    }

    @Test("an error thrown by a child that was told to stop is in the events and goes no further")
    func throwsWhileStopping() async throws {
        let trial = SupervisorTrial(
            Supervisor {
                ChildSpec("a", shutdown: .graceful(.seconds(5))) { child in
                    child.started()
                    await child.shutdownRequested()
                    throw InjectedFailure("could not flush")
                }
            }
        )
        try await trial.started()
        #expect(await trial.stop() == nil)
        try trial.story.expect("a stopped, but threw: could not flush", times: 1)
    }

    @Test("nobody sleeps on the clock when the tree has ended")
    func noTimerLeft() async throws {
        let probe = Probe("a", shutdown: .graceful(.seconds(10)), ignoresStop: true)
        let trial = SupervisorTrial(Supervisor { probe })
        try await trial.started()
        trial.supervisor.stop()
        await trial.clock.sleeper(dueIn: .seconds(10))
        probe.finish()
        #expect(await trial.end() == nil)
        #expect(trial.clock.sleeperCount == 0)
    }

    @Test("many children that stop in time arm one timer")
    func oneTimer() async throws {
        let last = Probe("last", ignoresStop: true)
        let trial = SupervisorTrial(
            Supervisor {
                last
                for index in 0..<50 { Probe("\(index)") }
            }
        )
        try await trial.started()
        trial.supervisor.stop()
        try await trial.story.wait(forBeginOf: .stop(of: "last"))
        await trial.clock.sleeper(dueIn: .seconds(5))
        #expect(trial.clock.sleeperCount == 1)
        trial.clock.advance(by: .seconds(5))
        #expect(await trial.end()?.abandoned == [["last"]])
        last.finish()
        await last.wait(for: .ended)
    }
}

@Suite("Supervisor: events and answers")
struct SupervisorEventTests {
    @Test("every reader sees every event, and the sequence ends with the run")
    func readers() async throws {
        let supervisor = Supervisor { Probe("a") }
        let readers = (supervisor.events(), supervisor.events())
        let trial = SupervisorTrial(supervisor)
        try await trial.started()
        supervisor.stop()
        #expect(await trial.end() == nil)
        let lines = (
            await readers.0.reduce(into: [String]()) { $0.append($1.description) },
            await readers.1.reduce(into: [String]()) { $0.append($1.description) }
        )
        #expect(lines.0 == trial.story.lines)
        #expect(lines.1 == trial.story.lines)
    }

    @Test("the events of a nested supervisor end with the run of the tree, not with its own")
    func nestedReaders() async throws {
        let probe = Probe("a")
        let inner = Supervisor("inner", intensity: RestartIntensity(maxRestarts: 0, within: .seconds(1))) {
            probe
        }
        let rooms = Supervisor("rooms") { DynamicSupervisor<Int>("calls") { child, _ in child.started() } }
        let events = inner.events()
        let others = rooms.events()
        let trial = SupervisorTrial(
            Supervisor {
                inner
                rooms
            }
        )
        try await trial.started()
        probe.fail()
        try await trial.story.wait(for: "supervisor inner started", count: 2)
        #expect(await trial.stop() == nil)
        let lines = await events.reduce(into: [String]()) { $0.append($1.description) }
        #expect(lines.count { $0 == "supervisor inner stopped" } == 2)
        #expect(await others.reduce(into: 0) { count, _ in count += 1 } > 0)
    }

    @Test("where the tree is not valid the events of all of it end at once")
    func invalidTree() async throws {
        let inner = Supervisor("inner") { Probe("") }
        let supervisor = Supervisor { inner }
        let events = [supervisor.events(), inner.events()]
        await #expect(throws: SupervisorError.self) { try await supervisor.run() }
        for events in events { #expect(await events.first { _ in true } == nil) }
    }

    @Test("the events of a supervisor that is taken out of the tree end")
    func deletedReaders() async throws {
        let inner = Supervisor("inner") { Probe("a") }
        let trial = SupervisorTrial(Supervisor { inner })
        try await trial.started()
        let events = inner.events()
        try await trial.supervisor.terminateChild("inner")
        try await trial.supervisor.deleteChild("inner")
        #expect(await events.reduce(into: 0) { count, _ in count += 1 } > 0)
        #expect(await trial.stop() == nil)
    }

    @Test("events carry the time on the injected clock, counted from the start of the tree")
    func time() async throws {
        let clock = TestClock()
        clock.advance(by: .seconds(100))
        let probe = Probe("a", start: .whenTold)
        let trial = SupervisorTrial(Supervisor(clock: clock) { Supervisor("inner") { probe } })
        await probe.wait(for: .begun)
        clock.advance(by: .seconds(3))
        probe.start()
        try await trial.started()
        #expect(trial.story.events.last?.time == .seconds(3))
        #expect(await trial.stop() == nil)
    }

    @Test("a supervisor answers while it runs, also while a child is slow to start, and not after")
    func answers() async {
        let probe = Probe("a", start: .whenTold)
        let trial = SupervisorTrial(Supervisor { probe })
        await probe.wait(for: .begun)
        #expect(await trial.supervisor.ping())
        #expect(await trial.stop() == nil)
        #expect(await trial.supervisor.ping() == false)
    }

    @Test("builder: conditions, loops, arrays and nested supervisors")
    func builder() {
        let (yes, no) = (true, false)
        let extra: [any Child] = [Probe("e1"), Supervisor("e2") {}]
        let supervisor = Supervisor {
            if yes { Probe("a") }
            if no { Probe("b") }
            if no { Probe("c") } else { Probe("d") }
            for index in 1...2 { Probe("loop\(index)") }
            extra
            Supervisor("nested") { Probe("x") }
        }
        #expect(supervisor.children.map(\.id) == ["a", "d", "loop1", "loop2", "e1", "e2", "nested"])
        #expect(supervisor.children.map(\.isSupervisor) == [false, false, false, false, false, true, true])
    }
}
