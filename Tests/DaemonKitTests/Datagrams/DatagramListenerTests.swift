import Glibc
import SupervisionTesting
import Systemd
import Testing

@testable import DaemonKit

@Suite("DatagramListener", .timeLimit(.minutes(1)))
struct DatagramListenerTests {
    /// Answers with its name.
    private static func listener(_ name: String, fallback: Listener.Fallback? = .host("127.0.0.1", port: 0))
        -> DatagramListener
    {
        DatagramListener(name, fallback: fallback) { $0.reply(name) }
    }

    /// Datagram sockets as a manager passes them, and the addresses of them.
    private func passed(_ names: String...) throws -> (sockets: PassedSockets, addresses: [SocketAddress]) {
        let sockets = try names.map { try DatagramSocket.bind(.host("127.0.0.1", port: 0), name: $0) }
        let moved = try PassedSockets(
            moving: sockets.map {
                PassedDescriptor(number: fcntl($0.descriptor, F_DUPFD_CLOEXEC, 3), name: $0.name)
            }
        )
        return (moved, sockets.map(\.localAddress))
    }

    private func ask(_ address: SocketAddress?) async throws -> String {
        let client = try TestClient.connect(to: #require(address), type: SOCK_DGRAM)
        let answer = try await client.ask("?")
        await client.finish()
        return answer
    }

    @Test(
        "sockets are found by name, in any order, all of a name",
        arguments: [["quic", "dns"], ["dns", "quic"]]
    )
    func byName(order: [String]) async throws {
        let (sockets, addresses) = try passed(order[0], order[1], "quic")
        let trial = try DaemonTrial(variables: sockets.variables, firstDescriptor: sockets.first) {
            Supervisor {
                Self.listener("quic", fallback: nil); Self.listener("dns", fallback: nil)
            }
        }
        _ = try await trial.manager.next(with: "READY=1")
        #expect(try await ask(addresses[0]) == order[0])
        #expect(try await ask(addresses[1]) == order[1])
        #expect(try await ask(addresses[2]) == "quic")
        #expect(await trial.stop() == .clean)
        #expect(
            trial.logged.all.contains(
                "<6>listener dns: receiving on \(addresses[order[0] == "dns" ? 0 : 1]), passed by the service manager"
            )
        )
    }

    @Test(
        "a single datagram socket goes to the first datagram listener, a single stream socket to the first listener"
    )
    func sole() async throws {
        let udp = try DatagramSocket.bind(.host("127.0.0.1", port: 0), name: "fortune.socket")
        let tcp = try ListeningSocket.bind(.host("127.0.0.1", port: 0), name: "fortune.socket")
        let sockets = try PassedSockets(
            moving: [udp.descriptor, tcp.descriptor].map {
                PassedDescriptor(number: fcntl($0, F_DUPFD_CLOEXEC, 3), name: "fortune.socket")
            }
        )
        let trial = try DaemonTrial(variables: sockets.variables, firstDescriptor: sockets.first) {
            Supervisor {
                Self.listener("udp", fallback: nil)
                Listener("tcp") { try await $0.write("tcp") }
                Self.listener("other")
            }
        }
        _ = try await trial.manager.next(with: "READY=1")
        #expect(try await ask(udp.localAddress) == "udp")
        #expect(try await TestClient.connect(to: tcp.localAddress).readAll() == Array("tcp".utf8))
        #expect(await trial.stop() == .clean)
    }

    @Test("a stream socket under the name is an error that says what it is")
    func wrongKind() async throws {
        let sockets = try PassedSockets("quic")
        let trial = try DaemonTrial(variables: sockets.variables, firstDescriptor: sockets.first) {
            Supervisor { Self.listener("quic") }
        }
        #expect(await trial.end().code == .startFailed)
        let line = try #require(trial.logged.all.last)
        #expect(line.contains("\"quic\" (stream listener"))
        #expect(line.contains("should be a datagram"))
    }

    @Test("no socket and no fallback is an error that names the socket")
    func nothing() async throws {
        let trial = try DaemonTrial { Supervisor { Self.listener("quic", fallback: nil) } }
        #expect(await trial.end().code == .startFailed)
        #expect(trial.logged.all.last?.contains("no socket called \"quic\" was passed") == true)
    }

    @Test("the port can come from a variable", arguments: [("", true), ("0", true), ("65536", false)])
    func variable(value: String, isRight: Bool) async throws {
        let places = Places()
        let trial = try DaemonTrial(variables: ["PORT": value]) {
            Supervisor {
                Self.listener("quic", fallback: .port(fromVariable: "PORT", default: 0)); places.child
            }
        }
        guard isRight else {
            #expect(await trial.end().code == .startFailed)
            #expect(trial.logged.all.last?.contains("PORT is \"\(value)\"") == true)
            return
        }
        _ = try await trial.manager.next(with: "READY=1")
        let port = try #require(places.address(of: "quic")?.port)
        #expect(try await ask(.ipv4(host: "127.0.0.1", port: port)) == "quic")
        #expect(try await ask(.ipv6(host: "::1", port: port)) == "quic")
        #expect(await trial.stop() == .clean)
    }

    @Test("it restarts within the tree on the same passed socket, and what came meanwhile is answered")
    func restart() async throws {
        let (sockets, addresses) = try passed("quic")
        let failing = Log<Gate>()
        let trial = try DaemonTrial(variables: sockets.variables, firstDescriptor: sockets.first) {
            Supervisor(strategy: .oneForAll) {
                Self.listener("quic", fallback: nil)
                ChildSpec("trouble") { (child: ChildContext) in
                    child.started()
                    let gate = Gate()
                    failing.append(gate)
                    try await gate.wait()
                    throw Failure()
                }
            }
        }
        _ = try await trial.manager.next(with: "READY=1")
        for round in 1...3 {
            let gate = await failing.atLeast(round)[round - 1]
            #expect(try await ask(addresses[0]) == "quic")
            guard round < 3 else { break }
            gate.open()
        }
        #expect(await trial.stop() == .clean)
    }

    @Test("a drainer has it finish what is in hand; at its limit that is cut, and told as datagrams")
    func drained() async throws {
        let facts = Facts()
        let release = Gate()
        let places = Places()
        let clock = TestClock()
        let trial = try DaemonTrial {
            Supervisor(clock: clock) {
                DatagramListener("quic", fallback: .host("127.0.0.1", port: 0)) { datagram in
                    facts.add("begun")
                    do {
                        try await (datagram.bytes == Array("held".utf8) ? Gate() : release).wait()
                        datagram.reply("done")
                    } catch {
                        facts.add("cut")
                    }
                }
                places.child
                Drainer("quic", shutdown: .seconds(10))
            }
        }
        _ = try await trial.manager.next(with: "READY=1")
        let client = try TestClient.connect(to: #require(places.address(of: "quic")), type: SOCK_DGRAM)
        try await client.write("held")
        try await client.write("other")
        await facts.wait(for: "begun", count: 2)
        trial.run.receive(.terminate)
        await clock.sleepers(atLeast: 1)
        release.open()
        #expect(try await client.read() == Array("done".utf8))
        clock.advance(by: .seconds(10))
        await facts.wait(for: "cut")
        #expect(await trial.end().code == .clean)
        #expect(
            trial.logged.all.contains(
                "<4>drainer: time is up after 10.0 seconds, cutting 1 datagrams of quic"
            )
        )
        await client.finish()
    }

    @Test("without a drainer it drains for as long as its own shutdown allows")
    func withoutDrainer() async throws {
        let facts = Facts()
        let release = Gate()
        let places = Places()
        let trial = try DaemonTrial {
            Supervisor {
                DatagramListener(
                    "quic",
                    fallback: .unix(DatagramServer.name()),
                    shutdown: .graceful(.seconds(3600))
                ) {
                    facts.add("begun")
                    try await release.wait()
                    $0.reply("done")
                }
                places.child
            }
        }
        _ = try await trial.manager.next(with: "READY=1")
        let client = try TestClient.connect(
            to: #require(places.address(of: "quic")),
            type: SOCK_DGRAM,
            isNamed: true
        )
        try await client.write("?")
        await facts.wait(for: "begun")
        trial.run.receive(.terminate)
        _ = try await trial.manager.next(with: "STOPPING=1")
        release.open()
        #expect(try await client.read() == Array("done".utf8))
        #expect(await trial.end().code == .clean)
        await client.finish()
    }

    @Test("a service whose handlers work on datagrams is not idle; when none is left, it ends by itself")
    func idle() async throws {
        let (sockets, addresses) = try passed("quic")
        let clock = TestClock()
        let facts = Facts()
        let gate = Gate()
        let trial = try DaemonTrial(variables: sockets.variables, firstDescriptor: sockets.first) {
            Supervisor(clock: clock) {
                DatagramListener("quic") { datagram in
                    facts.add("begun")
                    try await gate.wait()
                    datagram.reply("done")
                }
                IdleExit(after: .seconds(60))
            }
        }
        await clock.sleepers(atLeast: 1)
        let client = try TestClient.connect(to: addresses[0], type: SOCK_DGRAM)
        for _ in 0..<3 { try await client.write("?") }
        await facts.wait(for: "begun", count: 3)
        clock.advance(by: .seconds(90))
        gate.open()
        for _ in 0..<3 { #expect(try await client.read() == Array("done".utf8)) }
        await clock.sleepers(atLeast: 1)
        #expect(!trial.lines.contains("STOPPING=1"))
        clock.advance(by: .seconds(60))
        #expect(await trial.end().code == .clean)
        await client.finish()
    }

    @Test("a name that is taken, no handler at all, no size or too large a one: told before anything starts")
    func invalid() async throws {
        let trial = try DaemonTrial {
            Supervisor {
                Listener("web") { _ in }
                Supervisor("inner") { Self.listener("web") }
                DatagramListener("none", maxConcurrent: 0) { _ in }
                DatagramListener("small", maxDatagramSize: 0) { _ in }
                DatagramListener("large", maxDatagramSize: 1 << 24 + 1) { _ in }
            }
        }
        #expect(await trial.end().code == .configuration)
        let line = try #require(trial.logged.all.last)
        #expect(line.contains("child \"inner/web\" is not the only listener of that name"))
        #expect(line.contains("child \"none\" allows 0 handlers at once"))
        #expect(line.contains("child \"small\" receives 0 bytes of a datagram"))
        #expect(line.contains("child \"large\" receives"))
    }
}
