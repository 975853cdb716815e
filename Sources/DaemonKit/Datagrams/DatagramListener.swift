public import Supervision
import Systemd

/// Receives datagrams: on the sockets that the service manager passed under its name, else on one of its own.
///
/// Position: below what its handlers need, above the ``ReadyMarker`` and the ``Drainer``. It has started when
/// datagrams are received on all of its sockets.
///
/// ```swift
/// DatagramListener("echo-udp", fallback: .port(7777)) { datagram in
///     datagram.reply(datagram.bytes)
/// }
/// ```
///
/// **Which socket.** Every passed socket of the listener's name (`FileDescriptorName=`), in any order; each must be
/// a datagram socket (`ListenDatagram=`). A single datagram socket that was passed under another name, or under none,
/// goes to the first datagram listener of the tree. Where there is none, the fallback is bound: UDP, or a Unix
/// datagram socket. A passed socket is never closed: each start of the listener serves a duplicate, so it can be
/// restarted within the tree.
///
/// **Floods.** No more than `maxConcurrent` handlers run at once. At that number nothing is received: what comes
/// waits in the kernel's buffer (`ReceiveBuffer=` of a socket unit), and what that has no room for is lost, as
/// datagrams may be. So the memory in use is at most `maxConcurrent` times `maxDatagramSize`, whoever sends. Handlers
/// that fail, and replies that are dropped, are told in the log at the first, second, fourth, … alone.
///
/// **Stop.** A listener that is told to stop drains: on a passed socket nothing more is received, and what is in its
/// buffer is left to the next process. On a socket of its own nothing more arrives, and what has arrived before is
/// handled. The handlers that run may finish, for as long as its shutdown allows; then they are cancelled. Under a
/// ``Drainer`` that has happened before.
///
/// That a peer cannot be reached, as ICMP tells, is no failure of the listener.
public struct DatagramListener: Child {
    private let name: String
    private let fallback: Listener.Fallback?
    private let maxDatagramSize: Int
    private let maxConcurrent: Int
    private let restart: Restart
    private let shutdown: Shutdown
    private let handler: @Sendable (Datagram) async throws -> Void

    private static let sizes = 1...(1 << 24)

    /// Makes a listener whose datagrams are each handled by a closure.
    ///
    /// - Parameters:
    ///   - name: The name of its sockets (`FileDescriptorName=`), and its own among its siblings; that of no
    ///     ``Listener``.
    ///   - fallback: Where to receive when no socket was passed; nil, the default, to fail the start then.
    ///   - maxDatagramSize: How many bytes of a datagram are received, from 1 to 16 MiB; 65,535 by default, which is
    ///     all that UDP can carry. Of a longer one the rest is lost, and ``Datagram/isTruncated`` says so.
    ///   - maxConcurrent: How many handlers may run at once, over all its sockets; 256 by default.
    ///   - restart: When it is started again; permanent by default.
    ///   - shutdown: How long its handlers may take to finish; five seconds by default. A ``Drainer`` has its own
    ///     limit.
    ///   - handler: Answers one datagram, in a task of its own: they may overtake each other. An error ends that one
    ///     alone. Cancelled when the listener is cut.
    public init(
        _ name: String,
        fallback: Listener.Fallback? = nil,
        maxDatagramSize: Int = 65_535,
        maxConcurrent: Int = 256,
        restart: Restart = .permanent,
        shutdown: Shutdown = .graceful(.seconds(5)),
        handler: @escaping @Sendable (_ datagram: Datagram) async throws -> Void
    ) {
        self.name = name
        self.fallback = fallback
        self.maxDatagramSize = maxDatagramSize
        self.maxConcurrent = maxConcurrent
        self.restart = restart
        self.shutdown = shutdown
        self.handler = handler
    }

    /// The listener as a child.
    public var childSpec: ChildSpec {
        var spec = ChildSpec(name, restart: restart, shutdown: shutdown) { child in
            try await run(child)
        }
        spec.check = { [self] tree in
            var problems: [String] = []
            if !tree.daemon.listeners.declare(name, for: .datagram) {
                problems.append("is not the only listener of that name: passed sockets could go to either")
            }
            if maxConcurrent < 1 {
                problems.append("allows \(maxConcurrent) handlers at once: it must be 1 or more")
            }
            if !Self.sizes.contains(maxDatagramSize) {
                problems.append(
                    "receives \(maxDatagramSize) bytes of a datagram: it must be from 1 to \(Self.sizes.upperBound)"
                )
            }
            return problems
        }
        return spec
    }

    private func run(_ child: ChildContext) async throws {
        let sockets = try openSockets(child.daemon)
        let size = maxDatagramSize
        try await child.serve(name, sockets, counting: .datagrams, maxConnections: maxConcurrent) {
            [handler] socket, session in
            try await DatagramLoop(socket: socket, session: session, maxDatagramSize: size).run(handler)
        }
    }

    private func openSockets(_ daemon: DaemonContext) throws -> [DatagramSocket] {
        let passed = try daemon.passedSockets(for: name, as: .datagram).adopt { descriptor in
            try DatagramSocket(adopting: descriptor, name: name)
        }
        guard passed.isEmpty else { return passed }
        guard let fallback else {
            throw SocketError(
                .noSocket,
                "no socket called \"\(name)\" was passed (FileDescriptorName=), and the listener has no fallback"
            )
        }
        return [try .bind(fallback.endpoint(daemon.environment.variables), name: name)]
    }
}
