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
        let sockets = try (order + ["quic"]).map { try PassedSocket($0, kind: .datagram) }
        let trial = try DaemonTrial(sockets: sockets) {
            Supervisor {
                Self.listener("quic", fallback: nil); Self.listener("dns", fallback: nil)
            }
        }
        try await trial.ready()
        #expect(try await ask(sockets[0].address) == order[0])
        #expect(try await ask(sockets[1].address) == order[1])
        #expect(try await ask(sockets[2].address) == "quic")
        #expect(await trial.stop() == .clean)
        #expect(
            trial.log.all.contains(
                "<6>listener dns: receiving on \(sockets[order[0] == "dns" ? 0 : 1].address), passed by the service manager"
            )
        )
    }

    @Test(
        "a single datagram socket goes to the first datagram listener, a single stream socket to the first listener"
    )
    func sole() async throws {
        let udp = try PassedSocket("fortune.socket", kind: .datagram)
        let tcp = try PassedSocket("fortune.socket")
        let trial = try DaemonTrial(sockets: [udp, tcp]) {
            Supervisor {
                Self.listener("udp", fallback: nil)
                Listener("tcp") { try await $0.write("tcp") }
                Self.listener("other")
            }
        }
        try await trial.ready()
        #expect(try await ask(udp.address) == "udp")
        #expect(try await TestClient.connect(to: tcp.address).readAll() == Array("tcp".utf8))
        #expect(await trial.stop() == .clean)
    }

    @Test("a stream socket under the name is an error that says what it is")
    func wrongKind() async throws {
        let socket = try PassedSocket("quic")
        let trial = try DaemonTrial(sockets: [socket]) {
            Supervisor { Self.listener("quic") }
        }
        #expect(await trial.end() == .startFailed)
        let line = try #require(trial.log.all.last)
        #expect(line.contains("\"quic\" (stream listener"))
        #expect(line.contains("should be a datagram"))
    }

    @Test("no socket and no fallback is an error that names the socket")
    func nothing() async throws {
        let trial = try DaemonTrial { Supervisor { Self.listener("quic", fallback: nil) } }
        #expect(await trial.end() == .startFailed)
        #expect(trial.log.all.last?.contains("no socket called \"quic\" was passed") == true)
    }

    @Test("the port can come from a variable", arguments: [("", true), ("0", true), ("65536", false)])
    func variable(value: String, isRight: Bool) async throws {
        let trial = try DaemonTrial(variables: ["PORT": value]) {
            Supervisor {
                Self.listener("quic", fallback: .port(fromVariable: "PORT", default: 0))
            }
        }
        guard isRight else {
            #expect(await trial.end() == .startFailed)
            #expect(trial.log.all.last?.contains("PORT is \"\(value)\"") == true)
            return
        }
        try await trial.ready()
        let port = try #require(trial.addresses(of: "quic").first?.port)
        #expect(try await ask(.ipv4(host: "127.0.0.1", port: port)) == "quic")
        #expect(try await ask(.ipv6(host: "::1", port: port)) == "quic")
        #expect(await trial.stop() == .clean)
    }

    @Test("it restarts within the tree on the same passed socket, and what came meanwhile is answered")
    func restart() async throws {
        let socket = try PassedSocket("quic", kind: .datagram)
        let failing = Recorder<Gate>()
        let trial = try DaemonTrial(sockets: [socket]) {
            Supervisor(strategy: .oneForAll) {
                Self.listener("quic", fallback: nil)
                ChildSpec("trouble") { (child: ChildContext) in
                    child.started()
                    let gate = Gate()
                    failing.add(gate)
                    try await gate.waitUnlessCancelled()
                    throw InjectedFailure()
                }
            }
        }
        try await trial.ready()
        for round in 1...3 {
            let gate = await failing.wait(forCount: round)[round - 1]
            #expect(try await ask(socket.address) == "quic")
            guard round < 3 else { break }
            gate.open()
        }
        #expect(await trial.stop() == .clean)
    }

    @Test("a drainer has it finish what is in hand; at its limit that is cut, and told as datagrams")
    func drained() async throws {
        let facts = Recorder<String>()
        let release = Gate()
        let trial = try DaemonTrial {
            Supervisor {
                DatagramListener("quic", fallback: .host("127.0.0.1", port: 0)) { datagram in
                    facts.add("begun")
                    do {
                        try await (datagram.bytes == Array("held".utf8) ? Gate() : release)
                            .waitUnlessCancelled()
                        datagram.reply("done")
                    } catch {
                        facts.add("cut")
                    }
                }
                Drainer("quic", shutdown: .seconds(10))
            }
        }
        try await trial.started()
        let client = try TestClient.connect(to: #require(trial.addresses(of: "quic").first), type: SOCK_DGRAM)
        try await client.write("held")
        try await client.write("other")
        await facts.wait(for: "begun", count: 2)
        trial.send(.terminate)
        try await trial.story.wait(forBeginOf: .stop(of: "drainer"))
        release.open()
        #expect(try await client.read() == Array("done".utf8))
        trial.clock.advance(by: .seconds(10))
        await facts.wait(for: "cut")
        #expect(await trial.end() == .clean)
        #expect(
            trial.log.all.contains(
                "<4>drainer: time is up after 10.0 seconds, cutting 1 datagrams of quic"
            )
        )
        await client.finish()
    }

    @Test("without a drainer it drains for as long as its own shutdown allows")
    func withoutDrainer() async throws {
        let facts = Recorder<String>()
        let release = Gate()
        let trial = try DaemonTrial {
            Supervisor {
                DatagramListener(
                    "quic",
                    fallback: .unix(DatagramServer.name()),
                    shutdown: .graceful(.seconds(3600))
                ) {
                    facts.add("begun")
                    try await release.waitUnlessCancelled()
                    $0.reply("done")
                }
            }
        }
        try await trial.ready()
        let client = try TestClient.connect(
            to: #require(trial.addresses(of: "quic").first),
            type: SOCK_DGRAM,
            isNamed: true
        )
        try await client.write("?")
        await facts.wait(for: "begun")
        trial.send(.terminate)
        try await trial.story.wait(for: .stopping)
        release.open()
        #expect(try await client.read() == Array("done".utf8))
        #expect(await trial.end() == .clean)
        await client.finish()
    }

    @Test("a service whose handlers work on datagrams is not idle; when none is left, it ends by itself")
    func idle() async throws {
        let socket = try PassedSocket("quic", kind: .datagram)
        let facts = Recorder<String>()
        let gate = Gate()
        let trial = try DaemonTrial(sockets: [socket]) {
            Supervisor {
                DatagramListener("quic") { datagram in
                    facts.add("begun")
                    try await gate.waitUnlessCancelled()
                    datagram.reply("done")
                }
                IdleExit(after: .seconds(60))
            }
        }
        await trial.clock.sleeper(dueIn: .seconds(60))
        let client = try TestClient.connect(to: socket.address, type: SOCK_DGRAM)
        for _ in 0..<3 { try await client.write("?") }
        await facts.wait(for: "begun", count: 3)
        trial.clock.advance(by: .seconds(90))
        gate.open()
        for _ in 0..<3 { #expect(try await client.read() == Array("done".utf8)) }
        await trial.clock.sleeper(dueIn: .seconds(60))
        #expect(!trial.story.notifications.contains("STOPPING=1"))
        trial.clock.advance(by: .seconds(60))
        #expect(await trial.end() == .clean)
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
        #expect(await trial.end() == .configuration)
        let line = try #require(trial.log.all.last)
        #expect(line.contains("child \"inner/web\" is not the only listener of that name"))
        #expect(line.contains("child \"none\" allows 0 handlers at once"))
        #expect(line.contains("child \"small\" receives 0 bytes of a datagram"))
        #expect(line.contains("child \"large\" receives"))
    }
}
