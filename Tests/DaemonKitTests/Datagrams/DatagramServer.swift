import DaemonKit
import Foundation
import Glibc
import SupervisionTesting

@testable import DaemonKit

/// A datagram socket that is being served.
final class DatagramServer: Sendable {
    let socket: DatagramSocket
    let session: ServingSession
    let incidents: Recorder<ListeningIncident>
    private let task: Task<Void, any Error>

    var address: SocketAddress { socket.localAddress }

    /// Serves, and returns when it does.
    init(
        _ socket: DatagramSocket,
        maxDatagramSize: Int = 65_535,
        maxConcurrent: Int = 256,
        handler: @escaping @Sendable (Datagram) async throws -> Void
    ) async {
        let started = Recorder<Void>()
        let incidents = Recorder<ListeningIncident>()
        let session = ServingSession(
            name: "test",
            counting: .datagrams,
            expectedSockets: 1,
            maxConnections: maxConcurrent,
            onStarted: { _ in started.add(()) },
            report: { incidents.add($0) }
        )
        self.socket = socket
        self.session = session
        self.incidents = incidents
        self.task = Task {
            let loop = DatagramLoop(socket: socket, session: session, maxDatagramSize: maxDatagramSize)
            try await loop.run(handler)
        }
        await started.wait(forCount: 1)
    }

    /// A client that sends to an address, by default the server's own.
    func connect(to address: SocketAddress? = nil, isNamed: Bool = true) throws -> Connection {
        let address = address ?? self.address
        var isUnix = false
        if case .unix = address { isUnix = true }
        return try TestClient.connect(to: address, type: SOCK_DGRAM, isNamed: isUnix && isNamed)
    }

    func cancel() {
        task.cancel()
    }

    func ended() async throws {
        try await task.value
    }

    func drain() async throws {
        session.beginDrain()
        try await ended()
    }

    /// A name that nobody else has: abstract, or a path.
    static func name(path: Bool = false) -> String {
        path ? "\(NSTemporaryDirectory())/d-\(UUID().uuidString.prefix(8))" : "@test-\(UUID().uuidString)"
    }
}

extension Connection {
    /// Sends a text and reads a datagram.
    func ask(_ text: String) async throws -> String {
        try await write(text)
        return String(decoding: try await read(upTo: 65_535), as: UTF8.self)
    }
}
