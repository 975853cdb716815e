import Glibc
import SupervisionTesting
import Systemd
import Testing

@testable import DaemonKit

@Suite("PassedConnection", .timeLimit(.minutes(1)))
struct PassedConnectionTests {
    /// A connection, and its other end.
    private func accepted(
        _ endpoint: Endpoint = .host("127.0.0.1", port: 0),
        kind: ConnectionKind = .stream
    ) throws -> (descriptor: CInt, client: Connection) {
        let listener = try ListeningSocket.bind(endpoint, kind: kind, name: "accept")
        let client = try TestClient.connect(
            to: listener.localAddress,
            type: kind == .stream ? SOCK_STREAM : SOCK_SEQPACKET
        )
        guard case .accepted(let descriptor, _) = AcceptThread.system(listener.descriptor) else {
            throw InjectedFailure("nobody to accept")
        }
        return (descriptor, client)
    }

    /// A connection as the manager passes it, and its other end.
    private func connection(
        _ endpoint: Endpoint = .host("127.0.0.1", port: 0),
        kind: ConnectionKind = .stream
    ) throws -> (passed: PassedSocket, client: Connection) {
        let (descriptor, client) = try accepted(endpoint, kind: kind)
        return (PassedSocket(connection: descriptor), client)
    }

    private func trial(
        _ passed: PassedSocket?,
        variables: [String: String] = [:],
        _ handler: @escaping @Sendable (Connection) async throws -> Void
    ) throws -> DaemonTrial {
        try DaemonTrial(variables: variables, sockets: passed.map { [$0] } ?? []) {
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
        #expect(await trial.end() == .clean)
        #expect(trial.story.notifications.contains("READY=1"))
        #expect(trial.story.notifications.contains("STOPPING=1"))
        #expect(!trial.log.all.contains { $0.contains("no child of the tree takes it") })
    }

    @Test(
        "a handler that ends at once ends the tree, also while the children below are started",
        arguments: 0..<20
    )
    func immediate(round: Int) async throws {
        let (passed, client) = try connection()
        let trial = try trial(passed) { _ in }
        #expect(try await client.readAll() == [])
        #expect(await trial.end() == .clean)
    }

    @Test("an error of the handler is the connection's: told in the log, and the process ends well")
    func failing() async throws {
        let (passed, client) = try connection()
        let trial = try trial(passed) { _ in throw InjectedFailure("no such page") }
        #expect(try await client.readAll() == [])
        #expect(await trial.end() == .clean)
        #expect(trial.log.all.contains { $0.contains("failed: no such page") })
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
        trial.send(.terminate)
        #expect(try await client.readAll() == Array("bye".utf8))
        #expect(await trial.end() == .clean)
    }

    @Test("another name is served where it is the only descriptor")
    func otherName() async throws {
        let (descriptor, client) = try accepted()
        let passed = PassedSocket(connection: descriptor, name: "fortune")
        let trial = try trial(passed) { try await $0.write("x") }
        #expect(try await client.readAll() == Array("x".utf8))
        #expect(await trial.end() == .clean)
        let error = #expect(throws: SystemdError.self) { try passed.handOver() }
        #expect(error?.code == .closed, "it is no other process's")
    }

    @Test("a peer that has gone before leaves nothing to do: the process ends well, and says who it was")
    func gone() async throws {
        let (descriptor, client) = try accepted()
        // A reset, not an end: the socket is not connected any more.
        var linger = linger(l_onoff: 1, l_linger: 0)
        _ = try client.withDescriptor {
            setsockopt($0, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        }
        await client.finish()
        var byte: UInt8 = 0
        while recv(descriptor, &byte, 1, CInt(MSG_PEEK) | CInt(MSG_DONTWAIT)) == -1, errno == EAGAIN {}
        let remote = ["REMOTE_ADDR": "192.0.2.1", "REMOTE_PORT": "4711"]
        let trial = try trial(PassedSocket(connection: descriptor), variables: remote) { _ in
            Issue.record("served")
        }
        #expect(await trial.end() == .clean)
        #expect(
            trial.log.all.contains("<6>connection: the peer 192.0.2.1:4711 has gone before it was served")
        )
    }

    @Test("without a connection the start fails, and says what is needed; a listening socket is none")
    func none() async throws {
        for passed in [nil, try PassedSocket("connection")] {
            let trial = try trial(passed) { _ in }
            #expect(await trial.end() == .startFailed)
            #expect(trial.log.all.last?.contains("no connection called \"connection\" was passed") == true)
            #expect(trial.log.all.last?.contains("Accept=yes") == true)
        }
    }

    @Test("a tree that would not end with it is refused")
    func notSignificant() async throws {
        let trial = try DaemonTrial { Supervisor { PassedConnection { _ in } } }
        #expect(await trial.end() == .configuration)
        #expect(trial.log.all.last?.contains("connection") == true)
    }
}
