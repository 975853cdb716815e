public import DaemonKit
import SupervisionLock
public import Systemd

/// A socket that a test passes to the daemon it runs, as a socket unit does.
///
/// ```swift
/// let socket = try PassedSocket("http")
/// let trial = try DaemonTrial(Hello(), sockets: [socket])
/// try await trial.ready()
/// // Clients connect to socket.address.
/// ```
///
/// Clients can connect as soon as it is made. It belongs to the test, as it belongs to the manager otherwise: it outlives
/// the daemon, and may be passed to the next one. Releasing it closes it.
public final class PassedSocket: Sendable {
    /// What a socket unit listens for.
    public enum Kind: Sendable {
        /// Connections (`ListenStream=`).
        case stream
        /// Datagrams (`ListenDatagram=`).
        case datagram
        /// Connections of whole records (`ListenSequentialPacket=`); Unix sockets only.
        case sequentialPackets
    }

    /// The name that the daemon finds it by (`FileDescriptorName=`).
    public let name: String

    /// Where clients reach it.
    public let address: SocketAddress

    private enum Bound {
        case listening(ListeningSocket)
        case datagram(DatagramSocket)
        case connection(OwnedDescriptor)
        case given
    }

    private let bound: Locked<Bound>

    /// Binds a socket.
    ///
    /// - Parameters:
    ///   - name: The name that the daemon finds it by.
    ///   - endpoint: Where it listens; by default on 127.0.0.1, at a port that the kernel chooses.
    ///   - kind: What it listens for; connections by default.
    /// - Throws: `SocketError` when it cannot be bound.
    public init(
        _ name: String,
        at endpoint: Endpoint = .host("127.0.0.1", port: 0),
        kind: Kind = .stream
    ) throws {
        self.name = name
        switch kind {
        case .stream, .sequentialPackets:
            let kind = kind == .stream ? ConnectionKind.stream : .sequentialPackets
            let socket = try ListeningSocket.bind(endpoint, kind: kind, name: name)
            address = socket.localAddress
            bound = Locked(.listening(socket))
        case .datagram:
            let socket = try DatagramSocket.bind(endpoint, name: name)
            address = socket.localAddress
            bound = Locked(.datagram(socket))
        }
    }

    /// Passes a connection that the test has accepted, as a socket unit with `Accept=yes` does.
    ///
    /// It is the daemon's alone, as the manager keeps no copy of it: the first daemon gets it, and no other.
    ///
    /// - Parameters:
    ///   - descriptor: The connection, which is the test's no more.
    ///   - name: The name that the daemon finds it by; `connection` by default, as the manager calls it.
    public init(connection descriptor: CInt, name: String = "connection") {
        self.name = name
        address = SocketAddress.local(of: descriptor)
        bound = Locked(.connection(OwnedDescriptor(taking: descriptor)))
    }

    /// What one start of a daemon gets: a duplicate, which it owns.
    ///
    /// - Returns: The descriptor, under the socket's name.
    /// - Throws: `SystemdError` with code `duplicationFailed` when there is no room for it, and with code `closed` when it
    ///   is a connection that another daemon got.
    public func handOver() throws(SystemdError) -> PassedDescriptor {
        let number = try bound.withLock { bound throws(SystemdError) in
            switch bound {
            case .listening(let socket):
                return try OwnedDescriptor.duplicate(socket.descriptor)
            case .datagram(let socket):
                return try OwnedDescriptor.duplicate(socket.descriptor)
            case .connection(let connection):
                bound = .given
                return try OwnedDescriptor.duplicate(connection.number)
            case .given:
                throw SystemdError(.closed, "the connection \"\(name)\" was passed to a daemon before")
            }
        }
        return PassedDescriptor(number: number, name: name)
    }
}
