import Foundation
import Supervision
import SupervisionTesting
import Systemd
import Testing

@testable import DaemonKit

@Suite("IdleExit", .timeLimit(.minutes(1)))
struct IdleExitTests {
    private let facts = Recorder<String>()
    private let activities = Recorder<Activity>()

    /// A socket that is passed to the listener `web`.
    private func socket() throws -> PassedSocket {
        try PassedSocket("web", at: .unix("@idle-\(UUID().uuidString)"))
    }

    /// Runs a tree that is passed this socket; returns when it has started.
    private func trial(
        on socket: PassedSocket,
        @ChildBuilder _ children: @escaping @Sendable () -> [ChildSpec]
    ) async throws -> DaemonTrial {
        let trial = try DaemonTrial(sockets: [socket]) { Supervisor(children: children) }
        try await trial.started()
        return trial
    }

    /// A service on a passed socket, which ends after 60 idle seconds and answers each connection when it is told to.
    private func service(_ gate: Gate = Gate()) async throws -> (trial: DaemonTrial, address: SocketAddress) {
        let socket = try socket()
        let trial = try await trial(on: socket) { [facts, activities] in
            ChildSpec("activity") { child in
                activities.add(child.daemon.activity)
                child.started()
                await child.shutdownRequested()
            }
            Listener("web") { connection in
                facts.add("accepted")
                try await gate.waitUnlessCancelled()
                try await connection.write("bye")
            }
            ReadyMarker()
            Drainer()
            IdleExit(after: .seconds(60))
        }
        return (trial, socket.address)
    }

    @Test("a service that nobody uses ends in order when its time has come, with exit status 0")
    func unused() async throws {
        let (trial, _) = try await service()
        await trial.clock.sleeper(dueIn: .seconds(60))
        trial.clock.advance(by: .seconds(60) - .nanoseconds(1))
        #expect(trial.clock.sleeperCount == 1)
        trial.clock.advance(by: .nanoseconds(1))
        #expect(await trial.end() == .clean)
        try trial.story.expect(notifications: ["READY=1", "STOPPING=1"])
        #expect(trial.log.all.contains("<6>idle-exit: idle for 60.0 seconds: stopping"))
    }

    @Test("while a connection is open it is not idle, and its time begins when the last one is over")
    func used() async throws {
        let gate = Gate()
        let (trial, address) = try await service(gate)
        await trial.clock.sleeper(dueIn: .seconds(60))
        let client = try TestClient.connect(to: address)
        await facts.wait(for: "accepted")
        trial.clock.advance(by: .seconds(90))
        gate.open()
        #expect(String(decoding: try await client.readAll(), as: UTF8.self) == "bye")
        // Counted from then on: it sleeps a whole minute again.
        await trial.clock.sleeper(dueIn: .seconds(60))
        trial.clock.advance(by: .seconds(59))
        #expect(!trial.story.notifications.contains("STOPPING=1"))
        trial.clock.advance(by: .seconds(1))
        #expect(await trial.end() == .clean)
    }

    @Test("a connection that came and went begins its time anew")
    func cameAndWent() async throws {
        let gate = Gate()
        gate.open()
        let (trial, address) = try await service(gate)
        await trial.clock.sleeper(dueIn: .seconds(60))
        trial.clock.advance(by: .seconds(30))
        let client = try TestClient.connect(to: address)
        #expect(String(decoding: try await client.readAll(), as: UTF8.self) == "bye")
        // The client sees the end before it is counted.
        #expect(await activities.all.first?.idle() == .seconds(30))
        trial.clock.advance(by: .seconds(59))
        await trial.clock.sleeper(dueIn: .seconds(1))
        #expect(!trial.story.notifications.contains("STOPPING=1"))
        trial.clock.advance(by: .seconds(1))
        #expect(await trial.end() == .clean)
    }

    @Test("a connection that comes while it ends waits for the next process")
    func meanwhile() async throws {
        let socket = try socket()
        let (unserved, late) = (Gate(), Gate())
        let first = try await trial(on: socket) {
            ChildSpec("last", shutdown: .graceful(.seconds(60))) { child in
                child.started()
                await child.shutdownRequested()
                unserved.open()
                try await late.waitUnlessCancelled()
            }
            Listener("web") { try await $0.write("first") }
            IdleExit(after: .seconds(60))
        }
        await first.clock.sleeper(dueIn: .seconds(60))
        first.clock.advance(by: .seconds(60))
        try await unserved.waitUnlessCancelled()
        let client = try TestClient.connect(to: socket.address)
        late.open()
        #expect(await first.end() == .clean)

        let second = try await trial(on: socket) {
            Listener("web") { try await $0.write("second") }
        }
        #expect(String(decoding: try await client.readAll(), as: UTF8.self) == "second")
        #expect(await second.stop() == .clean)
    }

    @Test("where a listener has a socket of its own the service stays, and says why")
    func ownSocket() async throws {
        // Nobody sleeps on it but the tree.
        let clock = TestClock()
        let trial = try DaemonTrial {
            Supervisor(clock: clock) {
                Listener("web", fallback: .unix("@idle-\(UUID().uuidString)")) { _ in }
                IdleExit(after: .seconds(60))
                ReadyMarker()
            }
        }
        try await trial.ready()
        await trial.log.wait(forCount: 2)
        #expect(
            trial.log.all.contains(
                "<5>idle-exit: not ending when idle: listener web has a socket of its own, "
                    + "and nobody would start the service again"
            )
        )
        #expect(clock.sleeperCount == 0)
        #expect(await trial.stop() == .clean)
    }

    @Test("one that is told to stop waits for nothing")
    func stopped() async throws {
        let (trial, _) = try await service()
        await trial.clock.sleeper(dueIn: .seconds(60))
        #expect(await trial.stop() == .clean)
        #expect(trial.clock.sleeperCount == 0)
    }

    @Test("what makes no sense is refused")
    func invalid() async throws {
        let trial = try DaemonTrial { Supervisor { IdleExit(after: .zero) } }
        #expect(await trial.end() == .configuration)
        let line = try #require(trial.log.all.last)
        #expect(
            line.contains("child \"idle-exit\" ends the service after 0.0 seconds: it must be above zero")
        )
        #expect(line.contains("ends an idle service, but there is no listener above it"))
    }
}
