import SupervisionLock
import SupervisionTesting
import Testing

@testable import Supervision

@Suite("Dynamic supervisor")
struct DynamicSupervisorTests {
    /// A dynamic supervisor whose children are probes, in a tree.
    private struct Rooms {
        let supervisor: DynamicSupervisor<Probe>
        let trial: SupervisorTrial

        init(
            intensity: RestartIntensity = .default,
            maxChildren: Int = .max,
            restart: Restart = .permanent,
            shutdown: Shutdown = .timeout(.seconds(5)),
            backoff: Backoff? = nil,
            limit: RestartIntensity? = nil
        ) async throws {
            let rooms = DynamicSupervisor<Probe>(
                "rooms",
                intensity: intensity,
                maxChildren: maxChildren,
                restart: restart,
                shutdown: shutdown,
                backoff: backoff,
                limit: limit
            ) { child, probe in try await probe.childSpec.body(child) }
            supervisor = rooms
            trial = SupervisorTrial(Supervisor { rooms })
            try await trial.started()
        }

        func children() async throws -> [String] {
            try await supervisor.whichChildren().map { "\($0.id) \($0.state.rawValue)" }
        }
    }

    @Test("it begins without children; each start brings one, called by its number, with its argument")
    func start() async throws {
        let rooms = try await Rooms()
        #expect(try await rooms.children() == [])
        let probes = (0..<3).map { Probe("\($0)") }
        for (number, probe) in probes.enumerated() {
            #expect(try await rooms.supervisor.startChild(probe)?.number == number)
            #expect(probe.facts == [.begun, .started])
        }
        #expect(try await rooms.children() == ["0 running", "1 running", "2 running"])
        #expect(
            try await rooms.supervisor.countChildren()
                == ChildCount(specs: 3, active: 3, supervisors: 0, workers: 3)
        )
        #expect(await rooms.trial.stop() == nil)
        #expect(probes.allSatisfy { $0.facts.last == .ended })
    }

    @Test("a child that is slow to start keeps nobody waiting")
    func slowStart() async throws {
        let rooms = try await Rooms()
        let (slow, quick) = (Probe("slow", start: .whenTold), Probe("quick"))
        let start = begun { try await rooms.supervisor.startChild(slow)?.number ?? -1 }
        await slow.wait(for: .begun)
        #expect(try await rooms.supervisor.startChild(quick)?.number == 1)
        #expect(try await rooms.children() == ["0 starting", "1 running"])
        slow.start()
        #expect(await start.outcome == "0")
        #expect(await rooms.trial.stop() == nil)
    }

    @Test(
        "a child with nothing to run, and one that cannot start, leave nothing behind",
        arguments: Restart.allCases
    )
    func startFails(restart: Restart) async throws {
        let rooms = try await Rooms(intensity: .init(maxRestarts: 0, within: .seconds(1)), restart: restart)
        let idle = Probe("idle", start: .whenTold)
        let start = begun { try await rooms.supervisor.startChild(idle) == nil }
        await idle.wait(for: .begun)
        idle.finish()
        #expect(await start.outcome == "true")
        for _ in 1...3 {
            let error = await #expect(throws: SupervisorError.self) {
                try await rooms.supervisor.startChild(
                    Probe("bad", start: .failing(InjectedFailure("no disk")))
                )
            }
            #expect(error?.code == .childFailedToStart)
            #expect(error?.underlying as? InjectedFailure == InjectedFailure("no disk"))
        }
        #expect(try await rooms.children() == [])
        #expect(await rooms.trial.stop() == nil)
    }

    @Test(
        "a child is restarted by its rule, with the same argument, and forgotten when it has ended for good"
    )
    func restart() async throws {
        for restart in Restart.allCases {
            for fails in [true, false] {
                let rooms = try await Rooms(restart: restart)
                let (probe, other) = (Probe("probe"), Probe("other"))
                try await rooms.supervisor.startChild(probe)
                try await rooms.supervisor.startChild(other)
                if fails { probe.fail() } else { probe.finish() }
                try await rooms.trial.story.wait(
                    for: "rooms/0 \(fails ? "failed: failed by the test" : "returned")"
                )
                if restart == .permanent || (restart == .transient && fails) {
                    await probe.wait(for: .started, count: 2)
                    try await rooms.trial.story.wait(for: .start(of: "rooms/0"), count: 2)
                    #expect(try await rooms.children() == ["0 running", "1 running"])
                } else {
                    #expect(try await rooms.children() == ["1 running"])
                }
                #expect(other.facts == [.begun, .started])
                #expect(await rooms.trial.stop() == nil)
            }
        }
    }

    @Test("one restart too many of all together is escalated to the parent, which starts it again, empty")
    func escalation() async throws {
        let rooms = try await Rooms(intensity: .init(maxRestarts: 2, within: .seconds(60)))
        let probes = (0..<3).map { Probe("\($0)") }
        for probe in probes { try await rooms.supervisor.startChild(probe) }
        for (count, probe) in probes.enumerated() {
            probe.fail(InjectedFailure("failure \(count)"))
            if count < 2 { await probe.wait(for: .started, count: 2) }
        }
        try await rooms.trial.story.wait(
            for:
                "rooms failed: gave up on child \"rooms/2\": more than 2 restarts within 60.0 seconds: failure 2"
        )
        try await rooms.trial.story.wait(for: .start(of: "rooms"), count: 2)
        #expect(try await rooms.children() == [])
        #expect(probes.allSatisfy { $0.facts.last == .ended })
        #expect(await rooms.trial.stop() == nil)
    }

    @Test("a restart that fails is tried again, and counts")
    func failingRestart() async throws {
        let rooms = try await Rooms(intensity: .init(maxRestarts: 3, within: .seconds(60)))
        let probe = Probe("probe")
        try await rooms.supervisor.startChild(probe)
        probe.nextStart(.failing(InjectedFailure("no disk")))
        probe.fail()
        try await rooms.trial.story.wait(for: .start(of: "rooms"), count: 2)
        #expect(probe.facts.count { $0 == .begun } == 4, "the first start and three restarts")
        #expect(await rooms.trial.stop() == nil)
    }

    @Test("one that crashes in a loop is given up by itself where it has a limit")
    func limit() async throws {
        let rooms = try await Rooms(
            intensity: .init(maxRestarts: 0, within: .seconds(1)),
            limit: .init(maxRestarts: 1, within: .seconds(60))
        )
        let (bad, other) = (Probe("bad"), Probe("other"))
        try await rooms.supervisor.startChild(bad)
        try await rooms.supervisor.startChild(other)
        bad.fail()
        try await rooms.trial.story.wait(for: .start(of: "rooms/0"), count: 2)
        bad.fail()
        try await rooms.trial.story.wait(for: "rooms/0 given up, not started again: failed by the test")
        #expect(try await rooms.children() == ["1 running"])
        #expect(await rooms.trial.stop() == nil)
    }

    @Test("a stop, and a termination, during a backoff are at once", arguments: [true, false])
    func backoff(terminates: Bool) async throws {
        let rooms = try await Rooms(backoff: .constant(.seconds(3600)))
        let probe = Probe("probe")
        let child = try #require(try await rooms.supervisor.startChild(probe))
        probe.fail()
        await rooms.trial.clock.sleeper(dueIn: .seconds(3600))
        #expect(try await rooms.children() == ["0 waiting"])
        if terminates {
            try await rooms.supervisor.terminateChild(child)
            #expect(try await rooms.children() == [])
        }
        #expect(await rooms.trial.stop() == nil)
        #expect(rooms.trial.clock.sleeperCount == 0)
        #expect(probe.facts.count { $0 == .begun } == 1)
    }

    @Test("there are never more children than there may be; a place that is left is free")
    func maxChildren() async throws {
        let rooms = try await Rooms(maxChildren: 2)
        let child = try #require(try await rooms.supervisor.startChild(Probe("a")))
        try await rooms.supervisor.startChild(Probe("b"))
        #expect(await code { try await rooms.supervisor.startChild(Probe("c")) } == .tooManyChildren)
        try await rooms.supervisor.terminateChild(child)
        #expect(try await rooms.supervisor.startChild(Probe("c"))?.number == 2)
        #expect(await rooms.trial.stop() == nil)
    }

    @Test("terminating stops one child and forgets it; for one that has gone nothing happens")
    func terminate() async throws {
        let rooms = try await Rooms()
        let (a, b) = (Probe("a"), Probe("b"))
        let child = try #require(try await rooms.supervisor.startChild(a))
        try await rooms.supervisor.startChild(b)
        try await rooms.supervisor.terminateChild(child)
        #expect(a.facts.last == .ended)
        try await rooms.supervisor.terminateChild(child)
        #expect(try await rooms.children() == ["1 running"])
        #expect(await rooms.trial.stop() == nil)
    }

    @Test("several are terminated at the same time, and one by several")
    func terminateSeveral() async throws {
        let rooms = try await Rooms(shutdown: .graceful(.seconds(5)))
        let probes = (0..<2).map { Probe("\($0)", ignoresStop: true) }
        var children: [DynamicChild] = []
        for probe in probes {
            children.append(try #require(try await rooms.supervisor.startChild(probe)))
        }
        let calls = [children[0], children[0], children[1]].map { child in
            begun { try await rooms.supervisor.terminateChild(child) }
        }
        for probe in probes { await probe.wait(for: .stopRequested) }
        for probe in probes { probe.finish() }
        for call in calls { #expect(await call.outcome == "()") }
        #expect(try await rooms.children() == [])
        #expect(await rooms.trial.stop() == nil)
    }

    @Test("one that will not stop is abandoned and named to all who wait; the others go on")
    func abandoned() async throws {
        let rooms = try await Rooms()
        let hung = Probe("hung", ignoresStop: true)
        let child = try #require(try await rooms.supervisor.startChild(hung))
        try await rooms.supervisor.startChild(Probe("other"))
        let calls = (1...2).map { _ in begun { try await rooms.supervisor.terminateChild(child) } }
        try await rooms.trial.story.wait(forBeginOf: .stop(of: "rooms/0"))
        rooms.trial.clock.advance(by: .seconds(5))
        for call in calls { #expect(await call.outcome == "childrenAbandoned") }
        #expect(try await rooms.children() == ["0 abandoned", "1 running"])
        hung.finish()
        try await rooms.trial.story.wait(for: "rooms/0 stopped")
        #expect(try await rooms.children() == ["1 running"])
        #expect(await rooms.trial.stop() == nil)
    }

    @Test("in the end all are told at once, and have one deadline together")
    func stop() async throws {
        let rooms = try await Rooms(shutdown: .graceful(.seconds(5)))
        let probes = (0..<3).map { Probe("\($0)", ignoresStop: true) }
        for probe in probes { try await rooms.supervisor.startChild(probe) }
        rooms.trial.supervisor.stop()
        for probe in probes { await probe.wait(for: .stopRequested) }
        probes[1].finish()
        try await rooms.trial.story.wait(for: .stop(of: "rooms/1"))
        rooms.trial.clock.advance(by: .seconds(5))
        await probes[0].wait(for: .cancelled)
        await probes[2].wait(for: .cancelled)
        probes[0].finish()
        try await rooms.trial.story.wait(for: .stop(of: "rooms/0"))
        rooms.trial.clock.advance(by: .seconds(1))
        let error = await rooms.trial.end()
        #expect(error?.code == .childrenAbandoned)
        #expect(error?.abandoned == [["rooms", "2"]])
        probes[2].finish()
        await probes[2].wait(for: .ended)
    }

    @Test("nobody waits for ever when it ends: starts and terminations under way are answered")
    func endsWithCalls() async throws {
        let rooms = try await Rooms(shutdown: .graceful(.seconds(5)))
        let (slow, hung) = (Probe("slow", start: .whenTold), Probe("hung", ignoresStop: true))
        let child = try #require(try await rooms.supervisor.startChild(hung))
        let start = begun { try await rooms.supervisor.startChild(slow) == nil }
        let terminate = begun { try await rooms.supervisor.terminateChild(child) }
        await slow.wait(for: .begun)
        await hung.wait(for: .stopRequested)
        rooms.trial.supervisor.stop()
        #expect(await terminate.outcome == "notRunning")
        await slow.wait(for: .stopRequested)
        #expect(await code { try await rooms.supervisor.startChild(Probe("late")) } == .notRunning)
        slow.finish()
        hung.finish()
        #expect(await start.outcome == "notRunning")
        #expect(await rooms.trial.end() == nil)
        #expect(await code { try await rooms.supervisor.countChildren() } == .notRunning)
    }

    @Test("a caller that is cancelled while its child starts: the child goes on")
    func cancelledCaller() async throws {
        let rooms = try await Rooms()
        let slow = Probe("slow", start: .whenTold)
        let start = begun { try await rooms.supervisor.startChild(slow) == nil }
        await slow.wait(for: .begun)
        start.cancel()
        #expect(await start.outcome == "cancelled")
        slow.start()
        await slow.wait(for: .started)
        #expect(try await rooms.children() == ["0 running"])
        #expect(await rooms.trial.stop() == nil)
    }

    @Test("a child of an earlier run is not mistaken for one of this")
    func earlierRun() async throws {
        let rooms = try await Rooms(intensity: .init(maxRestarts: 0, within: .seconds(1)))
        let probe = Probe("a")
        let child = try #require(try await rooms.supervisor.startChild(probe))
        probe.fail()
        try await rooms.trial.story.wait(for: .start(of: "rooms"), count: 2)
        try await rooms.supervisor.startChild(Probe("b"))
        try await rooms.supervisor.terminateChild(child)
        #expect(try await rooms.children() == ["0 running"])
        #expect(await rooms.trial.stop() == nil)
    }

    @Test("what makes no sense is refused before anything starts")
    func invalid() async {
        let trial = SupervisorTrial(
            Supervisor {
                DynamicSupervisor<Int>("rooms", maxChildren: 0, shutdown: .timeout(.seconds(-1))) { _, _ in }
            }
        )
        #expect(
            await trial.end()?.details == [
                "child \"rooms\" has a shutdown of -1.0 seconds: it must be zero or more",
                "child \"rooms\" may have 0 children: it must be 1 or more",
            ]
        )
    }
}
