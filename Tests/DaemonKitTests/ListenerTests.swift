import Dispatch
import Glibc
import SupervisionTesting
import Synchronization
import Systemd
import Testing

@testable import DaemonKit

@Suite("Listener", .timeLimit(.minutes(1)))
struct ListenerTests {
    /// Answers one line with the name it was given.
    private static func listener(_ name: String, fallback: Listener.Fallback? = .host("127.0.0.1", port: 0))
        -> Listener
    {
        Listener(name, fallback: fallback) { connection in
            _ = try await connection.read()
            try await connection.write(name)
        }
    }

    @Test(
        "a variable names a port by its digits alone",
        arguments: [
            ("", 1), ("0", 0), ("4000", 4000), ("65535", 65535), ("65536", nil), ("-0", nil), ("+80", nil),
            ("80 ", nil), ("80\n", nil), ("http", nil), ("٨٠", nil),
        ] as [(String, Int?)]
    )
    func port(text: String, expected: Int?) throws {
        let fallback = Listener.Fallback.port(fromVariable: "PORT", default: 1)
        guard let expected else {
            let error = #expect(throws: SocketError.self) { try fallback.endpoint(["PORT": text]) }
            #expect(error?.code == .invalidEndpoint)
            #expect(error?.description.contains { $0.isNewline } == false)
            return
        }
        #expect(try fallback.endpoint(["PORT": text]) == .port(expected))
    }

    private func ask(_ address: SocketAddress?) async throws -> String {
        let connection = try TestClient.connect(to: #require(address))
        try await connection.write("?")
        let answer = try await connection.read()
        await connection.finish()
        return String(decoding: answer, as: UTF8.self)
    }

    @Test("sockets are found by name, in any order", arguments: [["http", "https"], ["https", "http"]])
    func byName(order: [String]) async throws {
        let sockets = try order.map { try PassedSocket($0) }
        let trial = try DaemonTrial(sockets: sockets) {
            Supervisor {
                Self.listener("http", fallback: nil); Self.listener("https", fallback: nil)
            }
        }
        try await trial.ready()
        #expect(try await ask(sockets[0].address) == order[0])
        #expect(try await ask(sockets[1].address) == order[1])
        #expect(await trial.stop() == .clean)
    }

    @Test("every socket of a name is served")
    func severalPerName() async throws {
        let sockets = try ["http", "http"].map { try PassedSocket($0) }
        let trial = try DaemonTrial(sockets: sockets) {
            Supervisor { Self.listener("http", fallback: nil) }
        }
        try await trial.ready()
        for socket in sockets { #expect(try await ask(socket.address) == "http") }
        #expect(await trial.stop() == .clean)
    }

    @Test(
        "a single socket, unnamed or of another name, goes to the first listener",
        arguments: ["hello.socket", "unknown"]
    )
    func sole(name: String) async throws {
        let socket = try PassedSocket(name)
        let trial = try DaemonTrial(sockets: [socket]) {
            Supervisor {
                Self.listener("http", fallback: nil); Self.listener("https")
            }
        }
        try await trial.ready()
        #expect(try await ask(socket.address) == "http")
        #expect(trial.addresses(of: "http").first == socket.address)
        #expect(trial.addresses(of: "https").first != socket.address)
        #expect(await trial.stop() == .clean)
    }

    @Test("a single socket with the name of another listener stays that one's")
    func soleOfAnother() async throws {
        let socket = try PassedSocket("https")
        let trial = try DaemonTrial(sockets: [socket]) {
            Supervisor {
                Self.listener("http"); Self.listener("https", fallback: nil)
            }
        }
        try await trial.ready()
        #expect(try await ask(socket.address) == "https")
        #expect(await trial.stop() == .clean)
    }

    @Test("sockets that nobody takes are told in the log")
    func unclaimed() async throws {
        let sockets = try ["http", "metrics"].map { try PassedSocket($0) }
        let trial = try DaemonTrial(sockets: sockets) {
            Supervisor { Self.listener("http", fallback: nil) }
        }
        try await trial.ready()
        #expect(await trial.stop() == .clean)
        #expect(
            trial.log.all.contains {
                $0.contains("metrics") && $0.hasSuffix("no child of the tree takes it")
            }
        )
    }

    @Test("no socket and no fallback is an error that names the socket")
    func nothing() async throws {
        let trial = try DaemonTrial { Supervisor { Self.listener("http", fallback: nil) } }
        #expect(await trial.end() == .startFailed)
        #expect(trial.log.all.last?.contains("no socket called \"http\" was passed") == true)
    }

    @Test("a passed datagram socket under the listener's name is an error")
    func wrongKind() async throws {
        let socket = try PassedSocket("http", kind: .datagram)
        let trial = try DaemonTrial(sockets: [socket]) {
            Supervisor { Self.listener("http") }
        }
        #expect(await trial.end() == .startFailed)
        #expect(trial.log.all.last?.contains("datagram") == true)
    }

    @Test(
        "the port can come from a variable; one that is not a port is an error that names it",
        arguments: [
            ("", true), ("0", true), ("65536", false), ("-1", false), ("http", false), (" 80", false),
        ]
    )
    func variable(value: String, isRight: Bool) async throws {
        let trial = try DaemonTrial(variables: ["PORT": value]) {
            Supervisor { Self.listener("http", fallback: .port(fromVariable: "PORT", default: 0)) }
        }
        if isRight {
            try await trial.ready()
            #expect(await trial.stop() == .clean)
        } else {
            #expect(await trial.end() == .startFailed)
            #expect(trial.log.all.last?.contains("PORT is \"\(value)\"") == true)
        }
    }

    @Test("a listener restarts within the tree on the same passed socket")
    func restart() async throws {
        let socket = try PassedSocket("http")
        let trial = try DaemonTrial(sockets: [socket]) {
            Supervisor { Listener("http", serving: FailingServer()) }
        }
        try await trial.ready()
        for _ in 1...3 { #expect(try await ask(socket.address) == "once") }
        #expect(await trial.stop() == .clean)
        #expect(trial.log.all.contains("<4>http restarting, 2 times so far"))
    }

    @Test("two listeners of a name, no connection at all, a drainer of nothing: told before anything starts")
    func invalid() async throws {
        let trial = try DaemonTrial {
            Supervisor {
                Self.listener("http")
                Supervisor("inner") { Self.listener("http") }
                Listener("none", maxConnections: 0) { _ in }
                Drainer("gopher")
            }
        }
        #expect(await trial.end() == .configuration)
        let line = try #require(trial.log.all.last)
        #expect(line.contains("child \"inner/http\" is not the only listener of that name"))
        #expect(line.contains("child \"none\" allows 0 connections at once"))
        #expect(line.contains("child \"drainer\" drains a listener \"gopher\", but there is none"))
    }
}

/// Takes one connection, answers it, then fails.
private struct FailingServer: SocketServer {
    func serve(_ socket: ListeningSocket, in session: ServingSession) async throws {
        session.started()
        try await withThrowingTaskGroup { group in
            group.addTask { await session.drainRequested() }
            group.addTask {
                await Self.answerOne(on: socket)
                if !Task.isCancelled { throw InjectedFailure("answered once") }
            }
            try await group.next()
            group.cancelAll()
        }
    }

    private static func answerOne(on socket: ListeningSocket) async {
        let descriptor = socket.descriptor
        // Dispatch's objects may be used from any thread, and this one only by its handlers and the cancellation.
        nonisolated(unsafe) let source = DispatchSource.makeReadSource(fileDescriptor: descriptor)
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                source.setEventHandler {
                    let connection = accept(descriptor, nil, nil)
                    guard connection >= 0 else { return }
                    var byte: UInt8 = 0
                    _ = read(connection, &byte, 1)
                    _ = write(connection, "once", 4)
                    close(connection)
                    source.cancel()
                }
                source.setCancelHandler { continuation.resume() }
                source.activate()
            }
        } onCancel: {
            source.cancel()
        }
    }
}
