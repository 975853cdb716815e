import DaemonKit
import SupervisionLock

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

/// A list that grows, and can be waited for.
final class Log<Entry: Sendable>: Sendable {
    private struct State {
        var entries: [Entry] = []
        var waiters: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Locked(State())

    var entries: [Entry] { state.withLock { $0.entries } }

    func append(_ entry: Entry) {
        let ready = state.withLock { state in
            state.entries.append(entry)
            let count = state.entries.count
            defer { state.waiters.removeAll { $0.count <= count } }
            return state.waiters.filter { $0.count <= count }.map(\.continuation)
        }
        for waiter in ready { waiter.resume() }
    }

    /// Waits until there are so many.
    @discardableResult
    func atLeast(_ count: Int) async -> [Entry] {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                guard state.entries.count < count else { return true }
                state.waiters.append((count, continuation))
                return false
            }
            if isReady { continuation.resume() }
        }
        return entries
    }
}

/// A socket that is being served.
final class TestServer: Sendable {
    let address: SocketAddress
    let session: ServingSession
    let incidents: Log<ListeningIncident>
    private let task: Task<Void, any Error>

    /// Serves, and returns when the server has said that it does.
    init(
        _ socket: ListeningSocket,
        maxConnections: Int = .max,
        policy: AcceptPolicy = AcceptPolicy(),
        accept: @escaping AcceptThread.Accept = AcceptThread.system,
        handler: Handler
    ) async {
        let started = Log<Void>()
        let incidents = Log<ListeningIncident>()
        let session = ServingSession(
            name: "test",
            expectedSockets: 1,
            maxConnections: maxConnections,
            onStarted: { started.append(()) },
            report: { incidents.append($0) }
        )
        self.address = socket.localAddress
        self.session = session
        self.incidents = incidents
        self.task = Task {
            let loop = AcceptLoop(socket: socket, session: session, policy: policy, accept: accept)
            try await loop.run { try await handler.handle($0) }
        }
        await started.atLeast(1)
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
