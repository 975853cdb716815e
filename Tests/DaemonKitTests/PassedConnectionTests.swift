import Glibc
import SupervisionTesting
import Systemd
import Testing

@testable import DaemonKit

@Suite("PassedConnection", .timeLimit(.minutes(1)))
struct PassedConnectionTests {
    /// A connection as the manager passes it, and its other end.
    private func connection(
        _ endpoint: Endpoint = .host("127.0.0.1", port: 0),
        kind: ConnectionKind = .stream,
        name: String = "connection"
    ) throws -> (passed: PassedSockets, client: Connection) {
        let listener = try ListeningSocket.bind(endpoint, kind: kind, name: name)
        let client = try TestClient.connect(
            to: listener.localAddress,
            type: kind == .stream ? SOCK_STREAM : SOCK_SEQPACKET
        )
        guard case .accepted(let descriptor, _) = AcceptThread.system(listener.descriptor) else {
            throw Failure("nobody to accept")
        }
        return (try PassedSockets(moving: [PassedDescriptor(number: descriptor, name: name)]), client)
    }

    private func trial(
        _ passed: PassedSockets,
        variables: [String: String] = [:],
        _ handler: @escaping @Sendable (Connection) async throws -> Void
    ) throws -> DaemonTrial {
        try DaemonTrial(
            variables: passed.variables.merging(variables) { $1 },
            firstDescriptor: passed.first
        ) {
            Supervisor(autoShutdown: .anySignificant) {
                PassedConnection(handler: handler)
                ReadyMarker()
                Drainer()
            }
        }
    }

    @Test(
        "the connection is answered, and the process ends with it",
        arguments: [
            (Endpoint.host("127.0.0.1", port: 0), ConnectionKind.stream), (.port(0), .stream),
            (.unix("@passed-stream-\(getpid())"), .stream),
            (.unix("@passed-seqpacket-\(getpid())"), .sequentialPackets),
        ]
    )
    func served(endpoint: Endpoint, kind: ConnectionKind) async throws {
        let (passed, client) = try connection(endpoint, kind: kind)
        let trial = try trial(passed) { connection in
            #expect(connection.kind == kind)
            let bytes = try await connection.read()
            try await connection.write(bytes + Array(" from \(connection.peer)".utf8))
        }
        let own = try client.withDescriptor { SocketAddress.local(of: $0) }
        try await client.write("hello")
        #expect(try await client.read() == Array("hello from \(own)".utf8))
        #expect(try await client.read() == [])
        #expect(await trial.end().code == .clean)
        #expect(trial.lines.contains("READY=1"))
        #expect(trial.lines.contains("STOPPING=1"))
        #expect(!trial.logged.all.contains { $0.contains("no child of the tree takes it") })
    }

    @Test(
        "a handler that ends at once ends the tree, also while the children below are started",
        arguments: 0..<20
    )
    func immediate(round: Int) async throws {
        let (passed, client) = try connection()
        let trial = try trial(passed) { _ in }
        #expect(try await client.readAll() == [])
        #expect(await trial.end().code == .clean)
    }

    @Test("an error of the handler is the connection's: told in the log, and the process ends well")
    func failing() async throws {
        let (passed, client) = try connection()
        let trial = try trial(passed) { _ in throw Failure("no such page") }
        #expect(try await client.readAll() == [])
        #expect(await trial.end().code == .clean)
        #expect(trial.logged.all.contains { $0.contains("failed: no such page") })
    }

    @Test("told to stop, it lets the connection finish")
    func drained() async throws {
        let (passed, client) = try connection()
        let trial = try trial(passed) { connection in
            connection.onDrain { connection.shutdownRead() }
            try await connection.write("ready")
            _ = try await connection.read()
            try await connection.write("bye")
        }
        #expect(try await client.read(upTo: 5) == Array("ready".utf8))
        trial.run.receive(.terminate)
        #expect(try await client.readAll() == Array("bye".utf8))
        #expect(await trial.end().code == .clean)
    }

    @Test("another name is served where it is the only descriptor")
    func otherName() async throws {
        let (passed, client) = try connection(name: "fortune")
        let trial = try trial(passed) { try await $0.write("x") }
        #expect(try await client.readAll() == Array("x".utf8))
        #expect(await trial.end().code == .clean)
    }

    @Test("a peer that has gone before leaves nothing to do: the process ends well, and says who it was")
    func gone() async throws {
        let (passed, client) = try connection()
        // A reset, not an end: the socket is not connected any more.
        var linger = linger(l_onoff: 1, l_linger: 0)
        _ = try client.withDescriptor {
            setsockopt($0, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        }
        await client.finish()
        var byte: UInt8 = 0
        while recv(passed.first, &byte, 1, CInt(MSG_PEEK) | CInt(MSG_DONTWAIT)) == -1, errno == EAGAIN {}
        let remote = ["REMOTE_ADDR": "192.0.2.1", "REMOTE_PORT": "4711"]
        let trial = try trial(passed, variables: remote) { _ in Issue.record("served") }
        #expect(await trial.end().code == .clean)
        #expect(
            trial.logged.all.contains("<6>connection: the peer 192.0.2.1:4711 has gone before it was served")
        )
    }

    @Test("without a connection the start fails, and says what is needed; a listening socket is none")
    func none() async throws {
        for passed in [try PassedSockets(), try PassedSockets("connection")] {
            let trial = try trial(passed) { _ in }
            #expect(await trial.end().code == .startFailed)
            #expect(trial.logged.all.last?.contains("no connection called \"connection\" was passed") == true)
            #expect(trial.logged.all.last?.contains("Accept=yes") == true)
        }
    }

    @Test("a tree that would not end with it is refused")
    func notSignificant() async throws {
        let trial = try DaemonTrial { Supervisor { PassedConnection { _ in } } }
        #expect(await trial.end().code == .configuration)
        #expect(trial.logged.all.last?.contains("connection") == true)
    }
}
