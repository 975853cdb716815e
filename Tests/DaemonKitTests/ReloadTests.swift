import Supervision
import SupervisionTesting
import Systemd
import Testing

@testable import DaemonKit

@Suite("Reload", .timeLimit(.minutes(1)))
struct ReloadTests {
    /// A child that notes each reload, and fails it or waits in it when told to.
    private func child(
        _ id: String,
        _ facts: Recorder<String>,
        _ reload: @escaping @Sendable () async throws -> Void = {}
    ) -> ChildSpec {
        ChildSpec(id) { child in
            child.onReload {
                facts.add(id)
                try await reload()
            }
            child.started()
            await child.shutdownRequested()
        }
    }

    @Test("the handlers are called in the order of the tree, between RELOADING and READY")
    func order() async throws {
        let facts = Recorder<String>()
        let (restarted, last) = (Probe("probe"), Probe("last"))
        let trial = try DaemonTrial { [self] in
            Supervisor {
                child("first", facts)
                Supervisor("inner", strategy: .restForOne) {
                    restarted
                    child("second", facts)
                    last
                }
                child("third", facts)
            }
        }
        try await trial.started()
        // A child that has been restarted still has its place.
        restarted.fail(InjectedFailure())
        await last.wait(for: .started, count: 2)
        trial.send(.hangUp)
        try await trial.story.wait(for: .status("reloaded"))
        #expect(facts.all == ["first", "second", "third"])
        try trial.story.expect(
            notifications: ["READY=1", "RELOADING=1", "STATUS=reloading", "READY=1", "STATUS=reloaded"]
        )
        let reloading = try #require(trial.manager.received.first { $0["RELOADING"] == "1" })
        #expect(reloading["MONOTONIC_USEC"].flatMap { UInt64($0) } != nil)
        #expect(await trial.stop() == .clean)
    }

    @Test("a handler that throws is named, the others are called, and the service is ready again")
    func failing() async throws {
        let facts = Recorder<String>()
        let trial = try DaemonTrial { [self] in
            Supervisor {
                child("first", facts) { throw InjectedFailure("no certificate") }
                child("second", facts)
            }
        }
        try await trial.started()
        trial.send(.hangUp)
        try await trial.story.wait(for: .status("reload failed: first: no certificate"))
        #expect(facts.all == ["first", "second"])
        try trial.story.expect(.ready, times: 2)
        await trial.stop()
        #expect(trial.log.all.contains("<3>reload failed: first: no certificate"))
    }

    @Test("what is asked for during a reload is done once more afterwards")
    func again() async throws {
        let facts = Recorder<String>()
        let gate = Gate()
        let trial = try DaemonTrial { [self] in
            Supervisor { child("only", facts) { try await gate.waitUnlessCancelled() } }
        }
        try await trial.started()
        trial.send(.hangUp)
        await facts.wait(for: "only")
        trial.send(.hangUp)
        trial.send(.hangUp)
        #expect(facts.all == ["only"], "not two at once")
        gate.open()
        await facts.wait(for: "only", count: 2)
        try await trial.story.wait(for: .status("reloaded"), count: 2)
        #expect(facts.all == ["only", "only"])
        await trial.stop()
        try trial.story.expect(.reloading, times: 2)
    }

    @Test("one that comes before the service is ready is done when it is")
    func early() async throws {
        let facts = Recorder<String>()
        let slow = Probe("slow", start: .whenTold)
        let trial = try DaemonTrial { [self] in
            Supervisor {
                child("first", facts)
                slow
            }
        }
        await slow.wait(for: .begun)
        trial.send(.hangUp)
        #expect(facts.all.isEmpty)
        slow.start()
        try await trial.story.wait(for: .status("reloaded"))
        try trial.story.expect(.ready, before: .reloading)
        #expect(facts.all == ["first"])
        await trial.stop()
    }

    @Test("a stop cancels a reload, and nothing says that the service were ready again")
    func stopped() async throws {
        let facts = Recorder<String>()
        let gate = Gate()
        let trial = try DaemonTrial { [self] in
            Supervisor { child("only", facts) { try await gate.waitUnlessCancelled() } }
        }
        try await trial.started()
        trial.send(.hangUp)
        await facts.wait(for: "only")
        #expect(await trial.stop() == .clean)
        trial.send(.hangUp)
        try trial.story.expect(
            notifications: ["READY=1", "RELOADING=1", "STATUS=reloading", "STOPPING=1"]
        )
    }

    @Test("a handler is gone with the copy of the child that gave it")
    func handlersEnd() async throws {
        let facts = Recorder<String>()
        let starts = Recorder<String>()
        let fail = Gate()
        let trial = try DaemonTrial {
            Supervisor {
                ChildSpec("child", restart: .transient) { child in
                    child.onReload { facts.add("called") }
                    starts.add("start")
                    child.started()
                    if starts.all.count == 1 {
                        try await fail.waitUnlessCancelled()
                        throw InjectedFailure()
                    }
                    await child.shutdownRequested()
                }
            }
        }
        await starts.wait(for: "start")
        fail.open()
        await starts.wait(for: "start", count: 2)
        trial.send(.hangUp)
        try await trial.story.wait(for: .status("reloaded"))
        #expect(facts.all == ["called"])
        await trial.stop()
    }

    @Test("a stop that follows at once is told after RELOADING")
    func stoppedAtOnce() async throws {
        let manager = try FakeServiceManager()
        let notifier = Notifier(address: manager.address)
        let reloader = Reloader(HandlerRegistry(), notifier: notifier, log: DaemonLog())
        reloader.becameReady()
        reloader.reload()
        reloader.end()
        notifier.send(.stopping)
        #expect(try await manager.next().lines.contains("RELOADING=1"))
        #expect(try await manager.next().lines == ["STOPPING=1"])
    }

    @Test("handlers whose turn has not come when the daemon begins to stop are not called")
    func stoppedBetween() async throws {
        let facts = Recorder<String>()
        let (gate, end) = (Gate(), Gate())
        let trial = try DaemonTrial { [self] in
            Supervisor {
                // One that does not heed that it is cancelled.
                child("first", facts) { await gate.wait() }
                ChildSpec("second", shutdown: .graceful(.seconds(10))) { child in
                    child.onReload { facts.add("second") }
                    child.started()
                    await child.shutdownRequested()
                    try await end.waitUnlessCancelled()
                }
            }
        }
        try await trial.started()
        trial.send(.hangUp)
        await facts.wait(for: "first")
        trial.send(.terminate)
        try await trial.story.wait(for: .stopping)
        gate.open()
        end.open()
        #expect(await trial.end() == .clean)
        #expect(facts.all == ["first"])
    }

    @Test("a child that is restarted before its turn has its new copy called, and not the old one")
    func restartedMeanwhile() async throws {
        let facts = Recorder<String>()
        let starts = Recorder<String>()
        let (gate, fail) = (Gate(), Gate())
        let trial = try DaemonTrial { [self] in
            Supervisor {
                child("first", facts) { try await gate.waitUnlessCancelled() }
                ChildSpec("second") { child in
                    starts.add("start")
                    let copy = starts.all.count
                    child.onReload { facts.add("second \(copy)") }
                    child.started()
                    if copy == 1 {
                        try await fail.waitUnlessCancelled()
                        throw InjectedFailure()
                    }
                    await child.shutdownRequested()
                }
            }
        }
        try await trial.started()
        trial.send(.hangUp)
        await facts.wait(for: "first")
        fail.open()
        try await trial.story.wait(for: .start(of: "second"), count: 2)
        gate.open()
        try await trial.story.wait(for: .status("reloaded"))
        #expect(facts.all == ["first", "second 2"])
        #expect(await trial.stop() == .clean)
    }

    @Test("a handler that has its own child restarted is called once: the new copy is new already")
    func restartsItself() async throws {
        let facts = Recorder<String>()
        let starts = Recorder<String>()
        let trial = try DaemonTrial {
            Supervisor {
                ChildSpec("child") { child in
                    starts.add("start")
                    let (copy, fail) = (starts.all.count, Gate())
                    child.onReload {
                        facts.add("\(copy)")
                        fail.open()
                        await starts.wait(for: "start", count: copy + 1)
                    }
                    child.onReload { facts.add("\(copy) again") }
                    child.started()
                    try await fail.waitUnlessCancelled()
                    throw InjectedFailure()
                }
            }
        }
        try await trial.started()
        trial.send(.hangUp)
        try await trial.story.wait(for: .status("reloaded"))
        #expect(facts.all == ["1"])
        trial.send(.terminate)
        _ = await trial.end()
    }
}
