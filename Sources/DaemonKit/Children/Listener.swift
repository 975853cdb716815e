public import Supervision
import Systemd

/// Listens for connections: on the sockets that the service manager passed under its name, else on one of its own.
///
/// Position: below what its connections need, above the ``ReadyMarker`` and the ``Drainer``. It has started when
/// connections are accepted on all of its sockets.
///
/// ```swift
/// Listener("echo", fallback: .port(7777)) { connection in
///     var bytes = try await connection.read()
///     // A drain may end it from here on, between two requests.
///     connection.onDrain { connection.shutdownRead() }
///     while !bytes.isEmpty {
///         try await connection.write(bytes)
///         bytes = try await connection.read()
///     }
/// }
/// ```
///
/// **Which socket.** Every passed socket of the listener's name (`FileDescriptorName=`), in any order. A single
/// stream socket that was passed under another name, or under none, goes to the first listener of the tree. Where
/// there is none, the fallback is bound. A passed socket is never closed, shut down or set up anew: each start
/// of the listener serves a duplicate, so it can be restarted within the tree.
///
/// **Kept sockets.** With `keepsSocket` the manager keeps the socket that the fallback gave
/// (`FileDescriptorStoreMax=`, one for each such listener), and the service's next process serves it again: clients
/// that connect while the service restarts wait in the backlog. Where the fallback is another by then, or the file
/// of a Unix socket has gone, the old socket is closed and the fallback bound. `systemctl restart` and automatic
/// restarts keep the socket. A stop followed by a start does not, unless the unit says
/// `FileDescriptorStorePreserve=yes`: when the process has ended the socket is closed, and whoever waits in its
/// backlog is refused. While the process lives the socket listens, also when its listener is gone from the tree.
/// Without a manager, or where it says that its store is full, the socket is one as any other. A manager that does not
/// say (no `FileDescriptorStoreMax=` in the unit, or systemd before 254) is taken to keep it, and the log has a notice:
/// where it does not, those who wait in the backlog at a stop are lost.
///
/// **Stop.** A listener that is told to stop drains: it stops accepting and lets its connections finish, for as
/// long as its shutdown allows; then they are cut. Under a ``Drainer`` that has happened before.
public struct Listener: Child {
    /// Where to listen when no socket was passed: by TCP, or UDP where it is a ``DatagramListener``'s.
    public struct Fallback: Sendable {
        let endpoint: @Sendable (_ variables: [String: String]) throws(SocketError) -> Endpoint

        /// A port on every address of the machine, IPv6 and IPv4; 0 lets the kernel choose.
        public static func port(_ port: Int) -> Fallback {
            Fallback { _ in .port(port) }
        }

        /// A port that an environment variable names.
        ///
        /// - Parameters:
        ///   - variable: The variable, such as `PORT`. A value that is not a port fails the listener's start.
        ///   - port: The port where the variable is not set, or empty.
        /// - Returns: The fallback.
        public static func port(fromVariable variable: String, default port: Int) -> Fallback {
            Fallback { (variables) throws(SocketError) in
                guard let value = variables[variable], !value.isEmpty else { return .port(port) }
                // The initialiser takes a sign too.
                let isPlain = value.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
                guard isPlain, let number = UInt16(value) else {
                    throw SocketError(
                        .invalidEndpoint,
                        "the environment variable \(variable) is \(value.quotedForMessage), it must be a port from 0 to 65535"
                    )
                }
                return .port(Int(number))
            }
        }

        /// A port on one address, IPv4 or IPv6.
        ///
        /// Names are refused.
        public static func host(_ host: String, port: Int) -> Fallback {
            Fallback { _ in .host(host, port: port) }
        }

        /// A Unix socket at a path, or at an abstract name where it begins with `@`.
        public static func unix(_ path: String) -> Fallback {
            Fallback { _ in .unix(path) }
        }
    }

    private let name: String
    private let kind: ConnectionKind
    private let fallback: Fallback?
    private let keepsSocket: Bool
    private let backlog: Int
    private let maxConnections: Int
    private let restart: Restart
    private let shutdown: Shutdown
    private let server: any SocketServer

    /// Makes a listener that a protocol's server serves.
    ///
    /// - Parameters:
    ///   - name: The name of its sockets (`FileDescriptorName=`), and its own among its siblings.
    ///   - fallback: Where to listen when no socket was passed; nil, the default, to fail the start then.
    ///   - keepsSocket: Whether the manager keeps the fallback's socket for the service's next process; false by
    ///     default.
    ///   - backlog: How many connections may wait to be accepted on a socket of its own; 4096 by default. The kernel's
    ///     limit (`net.core.somaxconn`) cuts it. That of a passed socket is its unit's (`Backlog=`).
    ///   - maxConnections: How many may be open at once, over all its sockets; 10,000 by default. At that number
    ///     further ones wait in the backlog. `LimitNOFILE=` of the unit must be well above it: a process that has no
    ///     descriptor left may be ended by Dispatch.
    ///   - restart: When it is started again; permanent by default.
    ///   - shutdown: How long its connections may take to finish; five seconds by default. A ``Drainer`` has its
    ///     own limit.
    ///   - server: What serves the sockets.
    public init(
        _ name: String,
        fallback: Fallback? = nil,
        keepsSocket: Bool = false,
        backlog: Int = 4096,
        maxConnections: Int = 10_000,
        restart: Restart = .permanent,
        shutdown: Shutdown = .graceful(.seconds(5)),
        serving server: any SocketServer
    ) {
        self.init(
            name,
            kind: .stream,
            fallback: fallback,
            keepsSocket: keepsSocket,
            backlog: backlog,
            maxConnections: maxConnections,
            restart: restart,
            shutdown: shutdown,
            server: server
        )
    }

    private init(
        _ name: String,
        kind: ConnectionKind,
        fallback: Fallback?,
        keepsSocket: Bool,
        backlog: Int,
        maxConnections: Int,
        restart: Restart,
        shutdown: Shutdown,
        server: any SocketServer
    ) {
        self.name = name
        self.kind = kind
        self.fallback = fallback
        self.keepsSocket = keepsSocket
        self.backlog = backlog
        self.maxConnections = maxConnections
        self.restart = restart
        self.shutdown = shutdown
        self.server = server
    }

    /// Makes a listener whose connections are each handled by a closure.
    ///
    /// - Parameters:
    ///   - name: The name of its sockets (`FileDescriptorName=`), and its own among its siblings.
    ///   - kind: What its connections carry; streams by default. Sequential packets are of Unix sockets alone.
    ///   - fallback: Where to listen when no socket was passed; nil, the default, to fail the start then.
    ///   - keepsSocket: Whether the manager keeps the fallback's socket for the service's next process; false by
    ///     default.
    ///   - backlog: How many connections may wait to be accepted on a socket of its own; 4096 by default.
    ///   - maxConnections: How many may be open at once, over all its sockets; 10,000 by default. `LimitNOFILE=` of the
    ///     unit must be well above it: a process that has no descriptor left may be ended by Dispatch.
    ///   - restart: When it is started again; permanent by default.
    ///   - shutdown: How long its connections may take to finish; five seconds by default.
    ///   - handler: Answers one connection, in a task of its own. The connection is closed when it returns. An
    ///     error ends that connection alone. Cancelled when the connection is cut.
    public init(
        _ name: String,
        kind: ConnectionKind = .stream,
        fallback: Fallback? = nil,
        keepsSocket: Bool = false,
        backlog: Int = 4096,
        maxConnections: Int = 10_000,
        restart: Restart = .permanent,
        shutdown: Shutdown = .graceful(.seconds(5)),
        handler: @escaping @Sendable (_ connection: Connection) async throws -> Void
    ) {
        self.init(
            name,
            kind: kind,
            fallback: fallback,
            keepsSocket: keepsSocket,
            backlog: backlog,
            maxConnections: maxConnections,
            restart: restart,
            shutdown: shutdown,
            server: HandlerServer(handler: handler)
        )
    }

    /// The listener as a child.
    public var childSpec: ChildSpec {
        var spec = ChildSpec(name, restart: restart, shutdown: shutdown) { child in
            try await run(child)
        }
        spec.check = { [self] tree in
            var problems: [String] = []
            if !tree.daemon.listeners.declare(name, for: kind.passed) {
                problems.append("is not the only listener of that name: passed sockets could go to either")
            }
            if maxConnections < 1 {
                problems.append("allows \(maxConnections) connections at once: it must be 1 or more")
            }
            if keepsSocket { problems += keepingProblems }
            return problems
        }
        return spec
    }

    private var keepingProblems: [String] {
        var problems: [String] = []
        if fallback == nil { problems.append("keeps its socket, but has no fallback that could be bound") }
        if kind != .stream { problems.append("keeps its socket, but only stream sockets can be kept") }
        do { _ = try DescriptorName(KeptSockets.storedName(of: name)) } catch {
            problems.append("cannot keep its socket under its name: \(error.message)")
        }
        return problems
    }

    private func run(_ child: ChildContext) async throws {
        let sockets = try await openSockets(child.daemon)
        try await child.serve(name, sockets, maxConnections: maxConnections) { socket, session in
            try await server.serve(socket, in: session)
        }
    }

    private func openSockets(_ daemon: DaemonContext) async throws -> [ListeningSocket] {
        let passed = try passedSockets(daemon)
        guard passed.isEmpty else {
            // From before there was a socket unit. One listener does not serve two sockets of two owners.
            await daemon.keptSockets.discard(name)
            return passed
        }
        guard let fallback else {
            throw SocketError(
                .noSocket,
                "no socket called \"\(name)\" was passed (FileDescriptorName=), and the listener has no fallback"
            )
        }
        let endpoint = try fallback.endpoint(daemon.environment.variables)
        if let socket = try await daemon.keptSockets.takeBack(name, for: endpoint, keeps: keepsSocket) {
            return [socket]
        }
        await daemon.keptSockets.discardOrphans(except: daemon.listeners.isDeclared)
        let socket = try ListeningSocket.bind(endpoint, kind: kind, backlog: backlog, name: name)
        return [keepsSocket ? try daemon.keptSockets.keep(socket) : socket]
    }

    private func passedSockets(_ daemon: DaemonContext) throws -> [ListeningSocket] {
        try daemon.passedSockets(for: name, as: kind.passed).adopt { descriptor in
            try ListeningSocket(adopting: descriptor, name: name, kind: kind)
        }
    }
}

extension ConnectionKind {
    /// What a socket is that listens for them, when it is passed.
    fileprivate var passed: DescriptorKind {
        switch self {
        case .stream: .streamListener
        case .sequentialPackets: .seqpacketListener
        }
    }
}

/// A closure as a connection handler.
private struct HandlerServer: ConnectionHandler {
    let handler: @Sendable (Connection) async throws -> Void

    func handle(_ connection: Connection) async throws {
        try await handler(connection)
    }
}
