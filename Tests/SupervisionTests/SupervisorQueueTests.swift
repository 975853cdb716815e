import Supervision
import SupervisionTesting
import Testing

@Suite("Supervisor: calls wait for their turn")
struct SupervisorQueueTests {
    @Test("while the tree starts, calls wait; then they are served in the order in which they came")
    func duringStart() async {
        let slow = Probe("slow", start: .whenTold)
        let trial = SupervisorTrial(Supervisor { slow })
        let supervisor = trial.supervisor
        await slow.wait(for: .begun)
        let calls = (
            begun { try await supervisor.startChild(Probe("a")) },
            begun { try await supervisor.startChild(Probe("a")) },
            begun { try await supervisor.terminateChild("a") },
            begun { try await supervisor.startChild(Probe("a")) },
            begun { try await supervisor.deleteChild("a") },
            begun { try await supervisor.startChild(Probe("a")) },
            begun { try await supervisor.whichChildren().map(\.id) }
        )
        #expect(await supervisor.snapshot().children.map(\.id) == ["slow"])
        slow.start()
        #expect(await calls.0.outcome == "started")
        #expect(await calls.1.outcome == "alreadyStarted")
        #expect(await calls.2.outcome == "()")
        #expect(await calls.3.outcome == "alreadyPresent")
        #expect(await calls.4.outcome == "()")
        #expect(await calls.5.outcome == "started")
        #expect(await calls.6.outcome == #"["slow", "a"]"#)
        #expect(await trial.stop() == nil)
    }

    @Test("no more children are listed than are asked for, whether it runs or not", arguments: [-1, 0, 1, 5])
    func listed(limit: Int) async throws {
        let supervisor = Supervisor {
            Probe("a")
            Probe("b")
        }
        let count = max(0, min(2, limit))
        #expect(await supervisor.snapshot(limit: limit).children.count == count)
        let trial = SupervisorTrial(supervisor)
        try await trial.started()
        #expect(await supervisor.snapshot(limit: limit).children.count == count)
        #expect(await trial.stop() == nil)
    }

    @Test("while a child is slow to start, calls wait for it")
    func duringSlowStart() async throws {
        let (first, second) = (Probe("first", start: .whenTold), Probe("second", start: .whenTold))
        let trial = SupervisorTrial(Supervisor {})
        let supervisor = trial.supervisor
        try await trial.started()
        let starts = (
            begun { try await supervisor.startChild(first) },
            begun { try await supervisor.startChild(second) }
        )
        let count = begun { try await supervisor.countChildren().active }
        await first.wait(for: .begun)
        #expect(await supervisor.ping())
        #expect(second.facts == [], "one at a time")
        first.start()
        await second.wait(for: .begun)
        second.start()
        #expect(await starts.0.outcome == "started")
        #expect(await starts.1.outcome == "started")
        #expect(await count.outcome == "2")
        #expect(await trial.stop() == nil)
    }

    @Test("while a child is slow to stop, calls wait for it; looking at the tree does not")
    func duringSlowStop() async throws {
        let hung = Probe("hung", shutdown: .graceful(.seconds(5)), ignoresStop: true)
        let trial = SupervisorTrial(
            Supervisor {
                Probe("a"); hung
            }
        )
        let supervisor = trial.supervisor
        try await trial.started()
        let calls = (
            begun { try await supervisor.terminateChild("hung") },
            begun { try await supervisor.terminateChild("a") },
            begun { try await supervisor.restartChild("hung") }
        )
        await hung.wait(for: .stopRequested)
        let snapshot = await supervisor.snapshot()
        #expect(snapshot.waitsFor == .stop(["hung"], left: .seconds(5)))
        #expect(snapshot[["a"]]?.state == .running, "it waits for its turn")
        hung.finish()
        #expect(await calls.0.outcome == "()")
        #expect(await calls.1.outcome == "()")
        #expect(await calls.2.outcome == "started")
        supervisor.stop()
        hung.finish()
        #expect(await trial.end() == nil)
    }

    @Test("while a strategy takes children down and up, calls wait", arguments: [true, false])
    func duringStrategy(down: Bool) async throws {
        let (bad, other) = (Probe("bad"), Probe("other", ignoresStop: true))
        let trial = SupervisorTrial(
            Supervisor(strategy: .oneForAll) {
                bad; other
            }
        )
        let supervisor = trial.supervisor
        try await trial.started()
        bad.nextStart(.whenTold)
        bad.fail()
        await other.wait(for: .stopRequested)
        if !down {
            other.finish()
            await bad.wait(for: .begun, count: 2)
        }
        let call = begun { try await supervisor.whichChildren().map(\.state) }
        #expect(await supervisor.snapshot().state == .starting)
        if down { other.finish() }
        bad.start()
        #expect(await call.outcome == "\([TreeSnapshot.State.running, .running])")
        supervisor.stop()
        other.finish()
        #expect(await trial.end() == nil)
    }

    @Test("one for one: calls are served also while a child is slow to be restarted")
    func duringRestart() async throws {
        let slow = Probe("slow")
        let trial = SupervisorTrial(
            Supervisor {
                slow; Probe("other")
            }
        )
        let supervisor = trial.supervisor
        try await trial.started()
        slow.nextStart(.whenTold)
        slow.fail()
        await slow.wait(for: .begun, count: 2)
        #expect(try await trial.children() == ["slow starting", "other running"])
        #expect(await code { try await supervisor.startChild(Probe("slow")) } == .alreadyStarted)
        #expect(await code { try await supervisor.restartChild("slow") } == .childRestarting)
        #expect(await code { try await supervisor.deleteChild("slow") } == .childRestarting)
        try await supervisor.terminateChild("other")
        try await supervisor.terminateChild("slow")
        #expect(slow.facts.contains(.cancelled))
        #expect(try await trial.children() == ["slow terminated", "other terminated"])
        #expect(await trial.stop() == nil)
    }

    @Test("a call whose task is cancelled before its turn is not served")
    func cancelledWhileQueued() async throws {
        let (slow, unwanted) = (Probe("slow", start: .whenTold), Probe("unwanted"))
        let trial = SupervisorTrial(Supervisor {})
        let supervisor = trial.supervisor
        try await trial.started()
        let start = begun { try await supervisor.startChild(slow) }
        await slow.wait(for: .begun)
        let call = begun { try await supervisor.startChild(unwanted) }
        #expect(await supervisor.ping(), "and so it is in the queue")
        call.cancel()
        #expect(await call.outcome == "cancelled")
        slow.start()
        #expect(await start.outcome == "started")
        #expect(try await supervisor.whichChildren().map(\.id) == ["slow"])
        #expect(unwanted.facts == [])
        #expect(try await supervisor.startChild(unwanted) == .started, "its id is free")
        #expect(await trial.stop() == nil)
    }

    @Test("a call of a task that was cancelled before is not served")
    func cancelledBefore() async throws {
        let unwanted = Probe("unwanted")
        let trial = SupervisorTrial(Supervisor { Probe("a") })
        let supervisor = trial.supervisor
        try await trial.started()
        let start = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await supervisor.startChild(unwanted)
        }
        let terminate = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await supervisor.terminateChild("a")
        }
        #expect(await start.outcome == "cancelled")
        #expect(await terminate.outcome == "cancelled")
        #expect(try await trial.children() == ["a running"])
        #expect(unwanted.facts == [])
        #expect(await trial.stop() == nil)
    }

    @Test("a call whose task is cancelled while it is served is served to its end")
    func cancelledWhileServed() async throws {
        let slow = Probe("slow", start: .whenTold)
        let hung = Probe("hung", shutdown: .graceful(.seconds(5)), ignoresStop: true)
        let trial = SupervisorTrial(Supervisor { hung })
        let supervisor = trial.supervisor
        try await trial.started()

        let start = begun { try await supervisor.startChild(slow) }
        await slow.wait(for: .begun)
        start.cancel()
        #expect(await start.outcome == "cancelled")
        slow.start()
        #expect(try await trial.children() == ["hung running", "slow running"])

        let terminate = begun { try await supervisor.terminateChild("hung") }
        await hung.wait(for: .stopRequested)
        terminate.cancel()
        #expect(await terminate.outcome == "cancelled")
        hung.finish()
        #expect(try await trial.children() == ["hung terminated", "slow running"])
        #expect(await trial.stop() == nil)
    }

    /// Where the supervisor is when it is stopped while calls wait.
    enum Standing: CaseIterable {
        case starting, startingChild, stoppingChild, strategyDown, strategyUp, backoff
    }

    @Test("nobody waits for ever when the supervisor ends with calls waiting", arguments: Standing.allCases)
    func endsWithCalls(at moment: Standing) async throws {
        let (first, last) = (
            Probe("first"), Probe("last", shutdown: .graceful(.seconds(5)), ignoresStop: true)
        )
        let extra = Probe("extra", start: .whenTold)
        let trial = SupervisorTrial(
            Supervisor(strategy: .oneForAll) {
                moment == .backoff ? first.backoff(.constant(.seconds(1))) : first.childSpec
                last
            }
        )
        let supervisor = trial.supervisor
        if moment != .starting { try await trial.started() }
        var served: Task<String, any Error>?
        switch moment {
        case .starting:
            break
        case .startingChild:
            served = begun { "\(try await supervisor.startChild(extra))" }
            await extra.wait(for: .begun)
        case .stoppingChild:
            served = begun { "\(try await supervisor.terminateChild("last"))" }
            await last.wait(for: .stopRequested)
        case .strategyDown:
            first.fail()
            await last.wait(for: .stopRequested)
        case .strategyUp:
            first.nextStart(.whenTold)
            first.fail()
            await last.wait(for: .stopRequested)
            last.finish()
            await first.wait(for: .begun, count: 2)
        case .backoff:
            first.fail()
            await last.wait(for: .stopRequested)
            last.finish()
            try await trial.story.wait(for: .stop(of: "last"))
        }
        // During the backoff calls are served at once; this one then waits for the child it starts.
        let calls = [
            begun { "\(try await supervisor.startChild(extra.id("other")))" },
            begun { "\(try await supervisor.restartChild("first"))" },
            begun { "\(try await supervisor.whichChildren())" },
            begun { "\(try await supervisor.countChildren())" },
        ]
        supervisor.stop()
        if let served { #expect(await served.outcome == "notRunning") }
        for call in calls { #expect(await call.outcome == "notRunning") }
        last.finish()
        #expect(await trial.end() == nil)
    }

    @Test("nobody waits for ever when the supervisor gives up with calls waiting")
    func givesUpWithCalls() async throws {
        let (bad, slow) = (Probe("bad"), Probe("slow", start: .whenTold))
        let trial = SupervisorTrial(
            Supervisor(intensity: .init(maxRestarts: 0, within: .seconds(1))) { bad }
        )
        let supervisor = trial.supervisor
        try await trial.started()
        let start = begun { try await supervisor.startChild(slow) }
        await slow.wait(for: .begun)
        let calls = (
            begun { try await supervisor.whichChildren().count },
            begun { try await supervisor.terminateChild("bad") }
        )
        bad.fail()
        #expect(await start.outcome == "notRunning")
        #expect(await calls.0.outcome == "notRunning")
        #expect(await calls.1.outcome == "notRunning")
        #expect(await trial.end()?.code == .gaveUp)
        #expect(await begun { try await supervisor.whichChildren().count }.outcome == "notRunning")
    }

    @Test("calls that come while the supervisor stops are refused at once")
    func whileStopping() async throws {
        let hung = Probe("hung", shutdown: .graceful(.seconds(5)), ignoresStop: true)
        let trial = SupervisorTrial(Supervisor { hung })
        try await trial.started()
        trial.supervisor.stop()
        await hung.wait(for: .stopRequested)
        #expect(await code { try await trial.supervisor.startChild(Probe("late")) } == .notRunning)
        #expect(await code { try await trial.supervisor.terminateChild("hung") } == .notRunning)
        hung.finish()
        #expect(await trial.end() == nil)
    }

    @Test("many callers at once: each is answered, and the children are those that were promised")
    func manyCallers() async throws {
        let trial = SupervisorTrial(Supervisor {})
        let supervisor = trial.supervisor
        try await trial.started()
        let started = await withTaskGroup(of: Int.self) { group in
            for caller in 0..<50 {
                group.addTask {
                    // Five callers want the same child: one gets it.
                    let code = await code { try await supervisor.startChild(Probe("\(caller / 5)")) }
                    #expect(code == nil || code == .alreadyStarted)
                    return code == nil ? 1 : 0
                }
            }
            return await group.reduce(0, +)
        }
        #expect(started == 10)
        #expect(Set(try await supervisor.whichChildren().map(\.id)) == Set((0..<10).map { "\($0)" }))
        #expect(await trial.stop() == nil)
    }
}
