import DaemonKit
import SupervisionTesting

@testable import DaemonKit

/// A handler given as a closure.
struct Handler: ConnectionHandler {
    var body: @Sendable (Connection) async throws -> Void

    func handle(_ connection: Connection) async throws {
        try await body(connection)
    }

    /// Sends back what comes, until the client or a drain ends it.
    static let echo = Handler { connection in
        connection.onDrain { connection.shutdownRead() }
        while true {
            let bytes = try await connection.read()
            guard !bytes.isEmpty else { return }
            try await connection.write(bytes)
        }
    }
}

/// A socket that is being served.
final class TestServer: Sendable {
    let address: SocketAddress
    let session: ServingSession
    let incidents: Recorder<ListeningIncident>
    private let task: Task<Void, any Error>

    /// Serves, and returns when the server has said that it does.
    init(
        _ socket: ListeningSocket,
        maxConnections: Int = .max,
        policy: AcceptPolicy = AcceptPolicy(),
        accept: @escaping AcceptThread.Accept = AcceptThread.system,
        handler: Handler
    ) async {
        let started = Recorder<Void>()
        let incidents = Recorder<ListeningIncident>()
        let session = ServingSession(
            name: "test",
            expectedSockets: 1,
            maxConnections: maxConnections,
            onStarted: { _ in started.add(()) },
            report: { incidents.add($0) }
        )
        self.address = socket.localAddress
        self.session = session
        self.incidents = incidents
        self.task = Task {
            let loop = AcceptLoop(socket: socket, session: session, policy: policy, accept: accept)
            try await loop.run { try await handler.handle($0) }
        }
        await started.wait(forCount: 1)
    }

    func connect() throws -> Connection {
        try TestClient.connect(to: address)
    }

    func cancel() {
        task.cancel()
    }

    /// Waits until it has ended.
    func ended() async throws {
        try await task.value
    }

    func drain() async throws {
        session.beginDrain()
        try await ended()
    }
}
