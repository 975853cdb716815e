import Supervision
import SupervisionTesting
import Systemd
import Testing

@testable import DaemonKit

@Suite("Reload")
struct ReloadTests {
    /// A child that notes each reload, and fails it or waits in it when told to.
    private func child(
        _ id: String,
        _ facts: Facts,
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

    /// The variables that the manager gets, as names and as values where they do not vary.
    private func story(_ trial: DaemonTrial) -> [String] {
        trial.story.map { $0.hasPrefix("MONOTONIC_USEC=") ? "MONOTONIC_USEC" : $0 }
    }

    @Test("the handlers are called in the order of the tree, between RELOADING and READY")
    func order() async throws {
        let facts = Facts()
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
        await trial.logged.wait(forCount: 1)
        // A child that has been restarted still has its place.
        restarted.fail(Failure())
        await last.wait(for: .started, count: 2)
        trial.run.reload()
        _ = try await trial.manager.next(with: "STATUS=reloaded")
        #expect(facts.all == ["first", "second", "third"])
        #expect(
            story(trial) == [
                "READY=1", "RELOADING=1", "MONOTONIC_USEC", "STATUS=reloading", "READY=1", "STATUS=reloaded",
            ]
        )
        trial.run.receive(.terminate)
        #expect(await trial.end().code == .clean)
    }

    @Test("a handler that throws is named, the others are called, and the service is ready again")
    func failing() async throws {
        let facts = Facts()
        let trial = try DaemonTrial { [self] in
            Supervisor {
                child("first", facts) { throw Failure("no certificate") }
                child("second", facts)
            }
        }
        await trial.logged.wait(forCount: 1)
        trial.run.reload()
        _ = try await trial.manager.next(with: "STATUS=reload failed: first: no certificate")
        #expect(facts.all == ["first", "second"])
        #expect(trial.story.count { $0 == "READY=1" } == 2)
        trial.run.receive(.terminate)
        _ = await trial.end()
        #expect(trial.logged.all.contains("<3>reload failed: first: no certificate"))
    }

    @Test("what is asked for during a reload is done once more afterwards")
    func again() async throws {
        let facts = Facts()
        let gate = Gate()
        let trial = try DaemonTrial { [self] in
            Supervisor { child("only", facts) { try await gate.wait() } }
        }
        await trial.logged.wait(forCount: 1)
        trial.run.reload()
        await facts.wait(for: "only")
        trial.run.reload()
        trial.run.reload()
        #expect(facts.all == ["only"], "not two at once")
        gate.open()
        await facts.wait(for: "only", count: 2)
        _ = try await trial.manager.next(with: "STATUS=reloaded")
        _ = try await trial.manager.next(with: "STATUS=reloaded")
        #expect(facts.all == ["only", "only"])
        trial.run.receive(.terminate)
        _ = await trial.end()
        #expect(trial.story.count { $0 == "RELOADING=1" } == 2)
    }

    @Test("one that comes before the service is ready is done when it is")
    func early() async throws {
        let facts = Facts()
        let slow = Probe("slow", start: .whenTold)
        let trial = try DaemonTrial { [self] in
            Supervisor {
                child("first", facts)
                slow
            }
        }
        await slow.wait(for: .begun)
        trial.run.reload()
        #expect(facts.all.isEmpty)
        slow.start()
        _ = try await trial.manager.next(with: "STATUS=reloaded")
        #expect(story(trial).first == "READY=1")
        #expect(facts.all == ["first"])
        trial.run.receive(.terminate)
        _ = await trial.end()
    }

    @Test("a stop cancels a reload, and nothing says that the service were ready again")
    func stopped() async throws {
        let facts = Facts()
        let gate = Gate()
        let trial = try DaemonTrial { [self] in
            Supervisor { child("only", facts) { try await gate.wait() } }
        }
        await trial.logged.wait(forCount: 1)
        trial.run.reload()
        await facts.wait(for: "only")
        trial.run.receive(.terminate)
        #expect(await trial.end().code == .clean)
        trial.run.reload()
        #expect(
            story(trial) == ["READY=1", "RELOADING=1", "MONOTONIC_USEC", "STATUS=reloading", "STOPPING=1"]
        )
    }

    @Test("a handler is gone with the copy of the child that gave it")
    func handlersEnd() async throws {
        let facts = Facts()
        let starts = Facts()
        let fail = Gate()
        let trial = try DaemonTrial {
            Supervisor {
                ChildSpec("child", restart: .transient) { child in
                    child.onReload { facts.add("called") }
                    starts.add("start")
                    child.started()
                    if starts.all.count == 1 {
                        try await fail.wait()
                        throw Failure()
                    }
                    await child.shutdownRequested()
                }
            }
        }
        await starts.wait(for: "start")
        fail.open()
        await starts.wait(for: "start", count: 2)
        trial.run.reload()
        _ = try await trial.manager.next(with: "STATUS=reloaded")
        #expect(facts.all == ["called"])
        trial.run.receive(.terminate)
        _ = await trial.end()
    }
}
