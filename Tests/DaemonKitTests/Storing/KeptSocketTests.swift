import Foundation
import Glibc
import Supervision
import SupervisionTesting
import Synchronization
import Systemd
import Testing

@testable import DaemonKit

@Suite("Listener: kept sockets", .timeLimit(.minutes(1)))
struct KeptSocketTests {
    private let manager: FakeServiceManager

    init() throws {
        manager = try FakeServiceManager(descriptorStoreLimit: 2)
    }

    /// Answers a word with its name.
    private static func listener(
        _ name: String = "echo",
        fallback: Listener.Fallback,
        keepsSocket: Bool = true
    ) -> Listener {
        Listener(name, fallback: fallback, keepsSocket: keepsSocket) { connection in
            _ = try await connection.read()
            try await connection.write(name)
        }
    }

    private func answer(to connection: Connection) async throws -> String {
        try await connection.write("?")
        defer { connection.close() }
        return String(decoding: try await connection.readAll(), as: UTF8.self)
    }

    private func ask(_ address: SocketAddress) async throws -> String {
        try await answer(to: TestClient.connect(to: address))
    }

    /// A place that nobody else can be given, as they could a port that has become free.
    private static func ownPlace() -> Listener.Fallback { .unix("@kept-\(UUID().uuidString)") }

    private static let lastPort = Atomic(Int.random(in: 20_000..<25_000))

    /// A port that only this test asks for: it is below those that the system gives who asks for any.
    private static func ownPort() -> Listener.Fallback {
        while true {
            let port = lastPort.add(1, ordering: .relaxed).newValue
            let isFree = (try? ListeningSocket.bind(.port(port), name: "free")) != nil
            if isFree { return .host("127.0.0.1", port: port) }
        }
    }

    /// Whether nobody listens there; of ``ownPlace()``, since a port may be another test's by then.
    private func isRefused(_ address: SocketAddress) -> Bool {
        guard let descriptor = try? TestClient.connectBlocking(to: address) else { return true }
        close(descriptor)
        return false
    }

    /// Runs a process with listeners until they all listen, and a socket unit's sockets before that.
    private func start(
        sockets: [PassedSocket] = [],
        _ listeners: Listener...
    ) async throws -> DaemonTrial {
        let trial = try DaemonTrial(sockets: sockets, manager: manager) {
            Supervisor {
                for listener in listeners { listener }
                ReadyMarker()
            }
        }
        try await trial.ready()
        return trial
    }

    private func address(_ trial: DaemonTrial, _ name: String = "echo") throws -> SocketAddress {
        try #require(trial.addresses(of: name).first)
    }

    /// Lets a process bind a free port of the loopback address, or what is given, have it kept, and end.
    private func keptAddress(
        _ name: String = "echo",
        fallback: Listener.Fallback = .host("127.0.0.1", port: 0)
    ) async throws -> SocketAddress {
        let trial = try await start(Self.listener(name, fallback: fallback))
        let address = try address(trial, name)
        #expect(await trial.stop() == .clean)
        return address
    }

    private func port(_ address: SocketAddress) throws -> Int { try #require(address.port) }

    private func stored() -> [String] { manager.storedDescriptors.map(\.name) }

    @Test("clients that come between two processes are answered by the second, on the same socket")
    func kept() async throws {
        let first = try await keptAddress()
        #expect(stored() == ["listener echo"])
        for _ in 1...2 {
            let waiting = try TestClient.connect(to: first)
            let trial = try await start(
                Self.listener(fallback: .host("127.0.0.1", port: try port(first)))
            )
            #expect(try address(trial) == first)
            #expect(try await answer(to: waiting) == "echo")
            #expect(await trial.stop() == .clean)
            #expect(
                trial.log.all.contains(
                    "<6>listener echo: listening on \(first), kept by the service manager"
                )
            )
            #expect(stored() == ["listener echo"])
        }
    }

    @Test("who waits in the backlog when the drain begins is left to the next process")
    func backlog() async throws {
        let facts = Recorder<String>()
        let trial = try await start(
            Listener("echo", fallback: .host("127.0.0.1", port: 0), keepsSocket: true, maxConnections: 1) {
                connection in
                connection.onDrain { facts.add("drain") }
                facts.add("accepted")
                _ = try await connection.read()
                try await connection.write("echo")
            }
        )
        let place = try address(trial)
        let served = try TestClient.connect(to: place)
        await facts.wait(for: "accepted")
        let waiting = try TestClient.connect(to: place)
        let stop = Task { await trial.stop() }
        await facts.wait(for: "drain")
        #expect(try await answer(to: served) == "echo")
        #expect(await stop.value == .clean)
        try await waiting.write("?")
        let next = try await start(Self.listener(fallback: .host("127.0.0.1", port: try port(place))))
        #expect(String(decoding: try await waiting.readAll(), as: UTF8.self) == "echo")
        #expect(await next.stop() == .clean)
    }

    @Test("a listener that is restarted within the tree serves the same socket, which is stored once")
    func restart() async throws {
        let gate = Gate()
        let starts = Recorder<String>()
        let trial = try DaemonTrial(manager: manager) {
            Supervisor(strategy: .restForOne) {
                ChildSpec("above") { child in
                    starts.add("start")
                    child.started()
                    if starts.all.count == 1 {
                        try await gate.waitUnlessCancelled()
                        throw InjectedFailure()
                    }
                    await child.shutdownRequested()
                }
                Self.listener(fallback: .host("127.0.0.1", port: 0))
                ChildSpec("below") { child in
                    starts.add("below")
                    child.started()
                    await child.shutdownRequested()
                }
            }
        }
        await starts.wait(for: "below")
        let first = try address(trial)
        gate.open()
        await starts.wait(for: "below", count: 2)
        #expect(try address(trial) == first)
        #expect(try await ask(first) == "echo")
        #expect(await trial.stop() == .clean)
        #expect(stored() == ["listener echo"])
    }

    @Test("where the fallback is another by now the old socket is closed, and the log says so")
    func moved() async throws {
        let old = try await keptAddress(fallback: Self.ownPort())
        // The same port on every address: nobody could bind it while the old socket listens.
        let trial = try await start(Self.listener(fallback: .port(try port(old))))
        #expect(try address(trial) == .ipv6(host: "::", port: port(old)))
        #expect(try await ask(old) == "echo")
        #expect(await trial.stop() == .clean)
        #expect(
            trial.log.all.contains {
                $0.contains(
                    "\"listener echo\" (stream listener, \(old)) was kept, but is not what its listener wants"
                )
            }
        )
        #expect(stored() == ["listener echo"])
    }

    @Test("a listener that keeps its socket no more serves it once more, and takes it with it")
    func noLonger() async throws {
        let old = try await keptAddress()
        let waiting = try TestClient.connect(to: old)
        let trial = try await start(
            Self.listener(fallback: .host("127.0.0.1", port: try port(old)), keepsSocket: false)
        )
        #expect(try await answer(to: waiting) == "echo")
        #expect(stored() == [])
        #expect(await trial.stop() == .clean)
    }

    @Test("the socket of a listener that the tree has no more is no hindrance to another one at its place")
    func renamed() async throws {
        let old = try await keptAddress("old", fallback: Self.ownPort())
        let trial = try await start(
            Self.listener("new", fallback: .host("127.0.0.1", port: try port(old)))
        )
        #expect(try address(trial, "new") == old)
        #expect(try await ask(old) == "new")
        #expect(stored() == ["listener new"])
        #expect(await trial.stop() == .clean)
    }

    @Test("the socket of a listener that the tree has no more is removed, also where nobody wants its place")
    func orphan() async throws {
        let old = try await keptAddress("old", fallback: Self.ownPlace())
        let worker = Probe("worker")
        let trial = try DaemonTrial(manager: manager) { Supervisor { worker } }
        #expect(await trial.log.wait { $0.hasSuffix("was kept, but no child of the tree takes it: removed") })
        #expect(await trial.stop() == .clean)
        #expect(stored() == [])
        #expect(isRefused(old))
    }

    @Test("a socket unit's socket of the listener's name goes before the kept one, which is closed")
    func socketUnit() async throws {
        let place = Self.ownPlace()
        let old = try await keptAddress(fallback: place)
        let unit = try PassedSocket("echo")
        let trial = try await start(
            sockets: [unit],
            Self.listener(fallback: place)
        )
        #expect(try address(trial) == unit.address)
        #expect(isRefused(old))
        #expect(await trial.stop() == .clean)
        #expect(stored() == [])
    }

    @Test("a kept socket is not the single one that goes to the first listener, nor does it hide that one")
    func sole() async throws {
        let old = try await keptAddress("second")
        let second = Self.listener("second", fallback: .host("127.0.0.1", port: try port(old)))
        let first = Self.listener("first", fallback: .host("127.0.0.1", port: 0), keepsSocket: false)
        let trial = try await start(first, second)
        #expect(try address(trial, "first") != old)
        #expect(try address(trial, "second") == old)
        #expect(await trial.stop() == .clean)

        let unit = try PassedSocket("x.socket")
        let next = try await start(sockets: [unit], first, second)
        #expect(try address(next, "first") == unit.address)
        #expect(try address(next, "second") == old)
        #expect(await next.stop() == .clean)
    }

    @Test("of several under the name one that fits is served and kept, whatever the others are")
    func several() async throws {
        let old = try await keptAddress()
        let before = Notifier(address: manager.address)
        let memory = try SealedMemory([1])
        _ = try memory.withDescriptor { before.send(try .storeDescriptors([$0], named: "listener echo")) }
        #expect(await before.barrier(timeout: .seconds(60)) == .passed)
        let waiting = try TestClient.connect(to: old)
        let trial = try await start(Self.listener(fallback: .host("127.0.0.1", port: try port(old))))
        #expect(try await answer(to: waiting) == "echo")
        #expect(await trial.stop() == .clean)
        #expect(manager.storedDescriptors.map(\.kind) == [.streamListener])
    }

    @Test("without a manager, and without room in its store, it is a socket as any other")
    func unkept() async throws {
        let fallback = Listener.Fallback.host("127.0.0.1", port: 0)
        let unmanaged = try DaemonTrial(variables: ["NOTIFY_SOCKET": ""]) {
            Supervisor {
                Self.listener(fallback: Self.ownPlace())
            }
        }
        await unmanaged.log.wait(forCount: 2)
        let place = try address(unmanaged)
        #expect(unmanaged.log.all.first == "<6>listener echo: listening on \(place)")
        #expect(await unmanaged.stop() == .clean)
        #expect(isRefused(place))

        let full = try await start(
            Self.listener("a", fallback: fallback),
            Self.listener("b", fallback: fallback),
            Self.listener("c", fallback: fallback)
        )
        #expect(await full.stop() == .clean)
        #expect(
            full.log.all.contains {
                $0.hasPrefix("<4>listener c: the service manager does not keep its socket: 1 more")
            }
        )
        #expect(stored() == ["listener a", "listener b"])

        // A manager that keeps nothing, or is too old to say.
        let silent = try DaemonTrial { Supervisor { Self.listener(fallback: fallback) } }
        try await silent.ready()
        #expect(await silent.stop() == .clean)
        #expect(
            silent.log.all.contains { $0.hasPrefix("<5>listener echo: the service manager does not say") }
        )
    }

    @Test("the file of a kept Unix socket stays for the next process; where it has gone a new one is bound")
    func unix() async throws {
        let directory = "\(NSTemporaryDirectory())/kept-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = "\(directory)/s"
        let listener = Self.listener(fallback: .unix(path))
        let place = SocketAddress.unix(path: path)

        let first = try await start(listener)
        #expect(await first.stop() == .clean)
        let waiting = try TestClient.connect(to: place)
        let second = try await start(listener)
        #expect(try await answer(to: waiting) == "echo")
        #expect(await second.stop() == .clean)

        unlink(path)
        let third = try await start(listener)
        #expect(try await ask(place) == "echo")
        #expect(await third.stop() == .clean)
        #expect(stored() == ["listener echo"])

        let last = try await start(Self.listener(fallback: .unix(path), keepsSocket: false))
        #expect(try await ask(place) == "echo")
        #expect(await last.stop() == .clean)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("nothing to keep, and a name that cannot be one, are told before anything starts")
    func invalid() async throws {
        let trial = try DaemonTrial {
            Supervisor {
                Listener("echo", keepsSocket: true) { _ in }
                Listener("a:b", fallback: .port(0), keepsSocket: true) { _ in }
            }
        }
        #expect(await trial.end() == .configuration)
        let line = try #require(trial.log.all.last)
        #expect(line.contains("child \"echo\" keeps its socket, but has no fallback that could be bound"))
        #expect(line.contains("child \"a:b\" cannot keep its socket under its name: \"listener a:b\" is not"))
    }
}
