import Dispatch
import Glibc
import SupervisionTesting
import Synchronization
import Systemd
import Testing

@testable import DaemonKit

/// Duplicates descriptors to numbers that follow one another, close-on-exec: other tests start processes.
///
/// To numbers that are free, and never onto one: other tests have descriptors too.
///
/// - Returns: The first number.
private func placeInARow(_ descriptors: [CInt]) throws -> CInt {
    var start: CInt = 300
    while true {
        var numbers: [CInt] = []
        for descriptor in descriptors {
            let number = fcntl(descriptor, F_DUPFD_CLOEXEC, numbers.last.map { $0 + 1 } ?? start)
            guard number >= 0 else { throw Failure("F_DUPFD_CLOEXEC: errno \(errno)") }
            numbers.append(number)
        }
        guard let first = numbers.first, let last = numbers.last else { return start }
        if last == first + CInt(numbers.count) - 1 { return first }
        for number in numbers { close(number) }
        start = last + 1
    }
}

/// Sockets as a manager passes them: one after the other from a number on, kept open for the life of the process.
struct PassedSockets {
    let addresses: [SocketAddress]
    let first: CInt
    let variables: [String: String]

    /// Moves descriptors there: what a manager has kept of a service, when it starts it again.
    init(moving descriptors: [PassedDescriptor]) throws {
        first = try placeInARow(descriptors.map(\.number))
        for descriptor in descriptors { close(descriptor.number) }
        addresses = []
        let names = descriptors.map(\.name).joined(separator: ":")
        variables = [
            "LISTEN_PID": "\(getpid())", "LISTEN_FDS": "\(descriptors.count)", "LISTEN_FDNAMES": names,
        ]
    }

    init(_ names: String..., named: Bool = true) throws {
        let sockets = try names.map {
            try ListeningSocket.bind(.host("127.0.0.1", port: 0), backlog: 16, name: $0)
        }
        first = try placeInARow(sockets.map(\.descriptor))
        addresses = sockets.map(\.localAddress)
        var variables = ["LISTEN_PID": "\(getpid())", "LISTEN_FDS": "\(names.count)"]
        if named { variables["LISTEN_FDNAMES"] = names.joined(separator: ":") }
        self.variables = variables
    }
}

@Suite("Listener")
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
        let passed = try PassedSockets(order[0], order[1])
        let trial = try DaemonTrial(variables: passed.variables, firstDescriptor: passed.first) {
            Supervisor {
                Self.listener("http", fallback: nil); Self.listener("https", fallback: nil)
            }
        }
        _ = try await trial.manager.next(with: "READY=1")
        #expect(try await ask(passed.addresses[0]) == order[0])
        #expect(try await ask(passed.addresses[1]) == order[1])
        trial.run.receive(.terminate)
        #expect(await trial.end().code == .clean)
    }

    @Test("every socket of a name is served")
    func severalPerName() async throws {
        let passed = try PassedSockets("http", "http")
        let trial = try DaemonTrial(variables: passed.variables, firstDescriptor: passed.first) {
            Supervisor { Self.listener("http", fallback: nil) }
        }
        _ = try await trial.manager.next(with: "READY=1")
        for address in passed.addresses { #expect(try await ask(address) == "http") }
        trial.run.receive(.terminate)
        #expect(await trial.end().code == .clean)
    }

    @Test(
        "a single socket, unnamed or of another name, goes to the first listener",
        arguments: [true, false]
    )
    func sole(named: Bool) async throws {
        let passed = try PassedSockets("hello.socket", named: named)
        let places = Places()
        let trial = try DaemonTrial(variables: passed.variables, firstDescriptor: passed.first) {
            Supervisor {
                Self.listener("http", fallback: nil); Self.listener("https"); places.child
            }
        }
        _ = try await trial.manager.next(with: "READY=1")
        #expect(try await ask(passed.addresses[0]) == "http")
        #expect(places.address(of: "http") == passed.addresses[0])
        #expect(places.address(of: "https") != passed.addresses[0])
        trial.run.receive(.terminate)
        #expect(await trial.end().code == .clean)
    }

    @Test("a single socket with the name of another listener stays that one's")
    func soleOfAnother() async throws {
        let passed = try PassedSockets("https")
        let trial = try DaemonTrial(variables: passed.variables, firstDescriptor: passed.first) {
            Supervisor {
                Self.listener("http"); Self.listener("https", fallback: nil)
            }
        }
        _ = try await trial.manager.next(with: "READY=1")
        #expect(try await ask(passed.addresses[0]) == "https")
        trial.run.receive(.terminate)
        #expect(await trial.end().code == .clean)
    }

    @Test("sockets that nobody takes are told in the log")
    func unclaimed() async throws {
        let passed = try PassedSockets("http", "metrics")
        let trial = try DaemonTrial(variables: passed.variables, firstDescriptor: passed.first) {
            Supervisor { Self.listener("http", fallback: nil) }
        }
        _ = try await trial.manager.next(with: "READY=1")
        trial.run.receive(.terminate)
        #expect(await trial.end().code == .clean)
        #expect(
            trial.logged.all.contains {
                $0.contains("metrics") && $0.hasSuffix("no child of the tree takes it")
            }
        )
    }

    @Test("no socket and no fallback is an error that names the socket")
    func nothing() async throws {
        let trial = try DaemonTrial { Supervisor { Self.listener("http", fallback: nil) } }
        #expect(await trial.end().code == .startFailed)
        #expect(trial.logged.all.last?.contains("no socket called \"http\" was passed") == true)
    }

    @Test("a passed datagram socket under the listener's name is an error")
    func wrongKind() async throws {
        let passed = try PassedSockets("http")
        let datagram = socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
        _ = fcntl(dup2(datagram, passed.first), F_SETFD, FD_CLOEXEC)
        close(datagram)
        let trial = try DaemonTrial(variables: passed.variables, firstDescriptor: passed.first) {
            Supervisor { Self.listener("http") }
        }
        #expect(await trial.end().code == .startFailed)
        #expect(trial.logged.all.last?.contains("datagram") == true)
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
            _ = try await trial.manager.next(with: "READY=1")
            trial.run.receive(.terminate)
            #expect(await trial.end().code == .clean)
        } else {
            #expect(await trial.end().code == .startFailed)
            #expect(trial.logged.all.last?.contains("PORT is \"\(value)\"") == true)
        }
    }

    @Test("a listener restarts within the tree on the same passed socket")
    func restart() async throws {
        let passed = try PassedSockets("http")
        let trial = try DaemonTrial(variables: passed.variables, firstDescriptor: passed.first) {
            Supervisor { Listener("http", serving: FailingServer()) }
        }
        _ = try await trial.manager.next(with: "READY=1")
        for _ in 1...3 { #expect(try await ask(passed.addresses[0]) == "once") }
        trial.run.receive(.terminate)
        #expect(await trial.end().code == .clean)
        #expect(trial.logged.all.contains("<4>http restarting, 2 times so far"))
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
        #expect(await trial.end().code == .configuration)
        let line = try #require(trial.logged.all.last)
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
                if !Task.isCancelled { throw Failure("answered once") }
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
