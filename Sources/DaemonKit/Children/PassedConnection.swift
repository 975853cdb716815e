public import Supervision
import Systemd

/// Serves the one connection that the process was started for (`Accept=yes`), and ends with it.
///
/// Position: below what the connection needs, above the ``ReadyMarker`` and the ``Drainer``. It has started when the
/// handler begins.
///
/// ```swift
/// Supervisor(autoShutdown: .anySignificant) {
///     PassedConnection { connection in
///         try await connection.write("You are \(connection.peer)\n")
///     }
/// }
/// ```
///
/// It is a significant, temporary child: with `autoShutdown: .anySignificant` the tree stops when the connection is
/// over, and the process ends with ``ExitCode/clean``. An error of the handler ends the connection and is told in the
/// log; it is not one of the service.
///
/// **Which connection.** The one that was passed under its name: `connection`, unless the unit says otherwise
/// (`FileDescriptorName=`, from systemd 257 on). Where one descriptor was passed and no more, its name does not
/// matter. Stream sockets and sequential packets, over TCP or Unix; ``Connection/kind`` tells. Where the peer has gone
/// before the process was there, there is nothing to do, and the child ends at once.
///
/// **The socket unit.** Bound the connections by `MaxConnections=`, and turn the other limit off that there is by
/// default, with `TriggerLimitIntervalSec=0`: more than 200 connections within two seconds put the socket unit into
/// failure, where it stays until somebody starts it again.
///
/// The manager holds no copy: when the handler has ended, the peer sees the end. Who the peer is, ``Connection/peer``
/// tells, and `ServiceEnvironment.remotePeer` what the manager knew of it.
///
/// **Stop.** Told to stop, it drains as a ``Listener`` does.
public struct PassedConnection: Child {
    private let name: String
    private let shutdown: Shutdown
    private let handler: @Sendable (Connection) async throws -> Void

    /// Makes the child.
    ///
    /// - Parameters:
    ///   - name: The name of the connection (`connection` by default), and its own among its siblings.
    ///   - shutdown: How long the connection may take to finish when the service is stopped; five seconds by
    ///     default. A ``Drainer`` has its own limit.
    ///   - handler: Answers the connection, which is closed when it returns. Cancelled when the connection is cut.
    public init(
        _ name: String = "connection",
        shutdown: Shutdown = .graceful(.seconds(5)),
        handler: @escaping @Sendable (_ connection: Connection) async throws -> Void
    ) {
        self.name = name
        self.shutdown = shutdown
        self.handler = handler
    }

    /// The connection as a child.
    public var childSpec: ChildSpec {
        var spec = ChildSpec(name, restart: .temporary, shutdown: shutdown) { child in
            try await run(child)
        }
        spec.check = { [name] tree in
            tree.daemon.listeners.declare(name, for: .connection)
                ? [] : ["is not the only listener of that name: what is passed could go to either"]
        }
        return spec.significant()
    }

    private func run(_ child: ChildContext) async throws {
        let daemon = child.daemon
        let passed = daemon.passedConnections(name)
        guard !passed.isEmpty else {
            throw SocketError(
                .noSocket,
                "no connection called \"\(name)\" was passed: a socket unit with Accept=yes is needed, "
                    + "and a service without StandardInput=socket or StandardOutput=socket"
            )
        }
        var accepted: [AcceptedSocket] = []
        for descriptor in passed {
            do {
                accepted.append(try AcceptedSocket(adopting: descriptor))
            } catch {
                closeDescriptor(descriptor)
                let peer = daemon.environment.remotePeer.map { "\($0) " } ?? ""
                daemon.log.write(.info, "\(name): the peer \(peer)has gone before it was served")
            }
        }
        guard !accepted.isEmpty else { return child.started() }
        try await child.serve(name, accepted, maxConnections: accepted.count) { [handler] accepted, session in
            try await accepted.serve(in: session, by: handler)
        }
    }
}

extension DaemonContext {
    /// Takes the connections of a name out, else the only descriptor, where that may be one.
    fileprivate func passedConnections(_ name: String) -> [CInt] {
        let all = descriptors.all
        let named = all.first { $0.name == name && $0.mayBeConnection }
        guard let found = named ?? (all.count == 1 ? all.first { $0.mayBeConnection } : nil) else {
            return []
        }
        return descriptors.take(named: found.name, as: found.kind)
    }
}

extension PassedDescriptor {
    /// A connection whose peer has gone is a socket that is no more than that.
    fileprivate var mayBeConnection: Bool {
        kind == .connection || (kind == .other && family != nil)
    }
}
