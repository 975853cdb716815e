import SupervisionTesting
import Testing

@testable import DaemonKit
@testable import Supervision

@Suite("Drainer", .timeLimit(.minutes(1)))
struct DrainerTests {
    /// A listener whose connections end when the test says so.
    private struct Held: Sendable {
        let name: String
        /// What happened, in order, to all listeners of a test.
        let facts: Recorder<String>
        let release = Gate()

        var listener: Listener {
            Listener(name, fallback: .host("127.0.0.1", port: 0)) { [self] connection in
                connection.onDrain { facts.add("\(name) told") }
                facts.add("\(name) open")
                do {
                    try await release.waitUnlessCancelled()
                    try await connection.write("bye")
                    facts.add("\(name) done")
                } catch {
                    facts.add("\(name) cut")
                }
            }
        }
    }

    private func tree(_ listeners: [Held], _ drainer: Drainer) -> Supervisor {
        Supervisor {
            listeners.map(\.listener)
            ReadyMarker()
            drainer
        }
    }

    @Test("all listeners stop accepting before any is waited for, and connections are finished")
    func finishes() async throws {
        let facts = Recorder<String>()
        let (a, b) = (Held(name: "a", facts: facts), Held(name: "b", facts: facts))
        let trial = try DaemonTrial { tree([a, b], Drainer(shutdown: .seconds(10))) }
        try await trial.started()
        let client = try TestClient.connect(to: #require(trial.addresses(of: "a").first))
        await facts.wait(for: "a open")
        let other = try TestClient.connect(to: #require(trial.addresses(of: "b").first))
        await facts.wait(for: "b open")

        trial.send(.terminate)
        await facts.wait(for: "a told")
        await facts.wait(for: "b told")
        a.release.open()
        b.release.open()
        #expect(try await client.read() == Array("bye".utf8))
        #expect(try await other.read() == Array("bye".utf8))
        #expect(await trial.end() == .clean)
        await client.finish()
        await other.finish()
        #expect(!facts.all.contains { $0.hasSuffix("cut") })
    }

    @Test("connections that are left when the time is up are cut, counted, and the stop is clean")
    func cuts() async throws {
        let facts = Recorder<String>()
        let held = Held(name: "web", facts: facts)
        let trial = try DaemonTrial { tree([held], Drainer(shutdown: .seconds(10))) }
        try await trial.started()
        let clients = try (1...3).map { _ in
            try TestClient.connect(to: #require(trial.addresses(of: "web").first))
        }
        await facts.wait(for: "web open", count: 3)

        trial.send(.terminate)
        await facts.wait(for: "web told", count: 3)
        trial.clock.advance(by: .milliseconds(9_999))
        #expect(!facts.all.contains("web cut"))
        trial.clock.advance(by: .milliseconds(1))
        await facts.wait(for: "web cut", count: 3)
        #expect(await trial.end() == .clean)
        for client in clients { await client.finish() }
        #expect(
            trial.log.all.contains(
                "<4>drainer: time is up after 10.0 seconds, cutting 3 connections of web"
            )
        )
    }

    @Test("a drainer of certain listeners leaves the others to their own stop")
    func named() async throws {
        let facts = Recorder<String>()
        let (a, b) = (Held(name: "a", facts: facts), Held(name: "b", facts: facts))
        let trial = try DaemonTrial { tree([a, b], Drainer("b", shutdown: .seconds(10))) }
        try await trial.started()
        let (first, second) = (
            try TestClient.connect(to: #require(trial.addresses(of: "a").first)),
            try TestClient.connect(to: #require(trial.addresses(of: "b").first))
        )
        await facts.wait(for: "a open")
        await facts.wait(for: "b open")
        trial.send(.terminate)
        await facts.wait(for: "b told")
        #expect(!facts.all.contains("a told"))
        b.release.open()
        await facts.wait(for: "a told")
        a.release.open()
        #expect(await trial.end() == .clean)
        await first.finish()
        await second.finish()
    }

    @Test("without a drainer a listener drains for as long as its own shutdown allows, then cuts")
    func withoutDrainer() async throws {
        let facts = Recorder<String>()
        let held = Held(name: "web", facts: facts)
        let trial = try DaemonTrial {
            Supervisor { held.listener }
        }
        try await trial.started()
        let client = try TestClient.connect(to: #require(trial.addresses(of: "web").first))
        await facts.wait(for: "web open")
        trial.send(.terminate)
        await facts.wait(for: "web told")
        trial.clock.advance(by: .seconds(5))
        await facts.wait(for: "web cut")
        #expect(await trial.end() == .clean)
        await client.finish()
    }

    @Test("a drainer that has not started when it is told to stop leaves all to the listeners' own stop")
    func hasNotStarted() async throws {
        let facts = Recorder<String>()
        let held = Held(name: "web", facts: facts)
        let trial = try DaemonTrial {
            Supervisor {
                held.listener
                // As one whose thread was taken from it just when it began.
                ChildSpec("drainer", shutdown: .graceful(.seconds(10))) { child in
                    facts.add("drainer begun")
                    await child.shutdownRequested()
                    try await Drainer().childSpec.body(child)
                }
            }
        }
        await facts.wait(for: "drainer begun")
        let client = try TestClient.connect(to: #require(trial.addresses(of: "web").first))
        await facts.wait(for: "web open")
        trial.send(.terminate)
        await facts.wait(for: "web told")
        held.release.open()
        #expect(try await client.readAll() == Array("bye".utf8))
        #expect(await trial.end() == .clean)
        #expect(facts.all == ["drainer begun", "web open", "web told", "web done"])
    }

    @Test(
        "a drainer above every listener is told of at the start; one with a listener above and one below is not"
    )
    func misplaced() async throws {
        let web = Held(name: "web", facts: Recorder<String>())
        let admin = Held(name: "admin", facts: Recorder<String>())
        for (trial, lines) in [
            (
                try DaemonTrial {
                    Supervisor {
                        Drainer()
                        web.listener
                        admin.listener
                    }
                },
                [
                    "<4>drainer: stands above every listener and drains none: when its turn to stop comes they have "
                        + "gone; put it below them"
                ]
            ),
            (
                try DaemonTrial {
                    Supervisor {
                        web.listener
                        Drainer()
                        admin.listener
                    }
                },
                []
            ),
        ] {
            try await trial.started()
            #expect(await trial.stop() == .clean)
            #expect(trial.log.all.filter { $0.hasPrefix("<4>") } == lines)
        }
    }

    @Test("a tree without listeners, or without connections, drains at once")
    func nothing() async throws {
        let empty = try DaemonTrial { Supervisor { Drainer(shutdown: .seconds(10)) } }
        let idle = try DaemonTrial {
            tree([Held(name: "a", facts: Recorder<String>())], Drainer(shutdown: .seconds(10)))
        }
        for trial in [empty, idle] {
            try await trial.started()
            #expect(await trial.stop() == .clean)
        }
    }

    @Test("a restart drains nothing: the listeners go on, and the stop of the service drains them as ever")
    func restarted() async throws {
        let facts = Recorder<String>()
        let held = Held(name: "web", facts: facts)
        let (failing, worker, below) = (Probe("failing"), Probe("worker"), Probe("below"))
        let trial = try DaemonTrial {
            Supervisor(strategy: .restForOne) {
                held.listener
                worker
                failing
                Drainer(shutdown: .seconds(10))
                below
            }
        }
        try await trial.started()
        failing.fail()
        await below.wait(for: .started, count: 2)
        let client = try TestClient.connect(to: #require(trial.addresses(of: "web").first))
        await facts.wait(for: "web open")
        trial.send(.terminate)
        await facts.wait(for: "web told")
        #expect(!worker.facts.contains(.stopRequested), "it is the drainer that drains")
        held.release.open()
        #expect(try await client.readAll() == Array("bye".utf8))
        #expect(await trial.end() == .clean)
        #expect(facts.all == ["web open", "web told", "web done"])
    }

    @Test("a listener that is restarted together with its drainer drains in its own stop, and listens again")
    func restartedTogether() async throws {
        let facts = Recorder<String>()
        let held = Held(name: "web", facts: facts)
        let (failing, below) = (Probe("failing"), Probe("below"))
        let trial = try DaemonTrial {
            Supervisor("top", strategy: .restForOne) {
                failing
                Supervisor("inner") {
                    held.listener
                    Drainer(shutdown: .seconds(10))
                }
                below
            }
        }
        try await trial.started()
        let client = try TestClient.connect(to: #require(trial.addresses(of: "web").first))
        await facts.wait(for: "web open")
        failing.fail()
        await facts.wait(for: "web told")
        held.release.open()
        #expect(try await client.readAll() == Array("bye".utf8))
        await below.wait(for: .started, count: 2)
        let other = try TestClient.connect(to: #require(trial.addresses(of: "web").first))
        #expect(try await other.readAll() == Array("bye".utf8))
        #expect(await trial.stop() == .clean)
    }

    @Test("so it is in a tree that no daemon runs")
    func withoutDaemon() async throws {
        let facts = Recorder<String>()
        let held = Held(name: "web", facts: facts)
        let worker = Probe("worker")
        let addresses = Recorder<[SocketAddress]>()
        let supervisor = Supervisor(strategy: .restForOne, clock: TestClock()) {
            held.listener
            worker
            Drainer(shutdown: .seconds(10))
            ChildSpec("port") { child in
                addresses.add(child.daemon.addresses(of: "web"))
                child.started()
                await child.shutdownRequested()
            }
        }
        let running = Task { try await supervisor.run() }
        _ = await addresses.wait(forCount: 1)
        worker.fail()
        let client = try TestClient.connect(to: #require(await addresses.wait(forCount: 2).last?.first))
        await facts.wait(for: "web open")
        supervisor.stop()
        await facts.wait(for: "web told")
        #expect(!worker.facts.contains(.stopRequested))
        held.release.open()
        #expect(try await client.readAll() == Array("bye".utf8))
        try await running.value
    }
}
