/// What answers connections, by bytes: the kit's own accept loop does the rest.
///
/// ```swift
/// struct Echo: ConnectionHandler {
///     func handle(_ connection: Connection) async throws {
///         var bytes = try await connection.read()
///         // A drain may end it from here on, between two requests.
///         connection.onDrain { connection.shutdownRead() }
///         while !bytes.isEmpty {
///             try await connection.write(bytes)
///             bytes = try await connection.read()
///         }
///     }
/// }
/// ```
public protocol ConnectionHandler: SocketServer {
    /// Answers one connection. It is closed, and counted as closed, when this returns or throws.
    ///
    /// Runs once for each connection, in a task of its own. A drain waits for it, and does not interrupt it:
    /// look at ``Connection/isDraining`` between requests, and wake what waits for the next one with
    /// ``Connection/onDrain(_:)``.
    ///
    /// Cancellation: the connection is closed at once; reads and writes throw `CancellationError`.
    ///
    /// - Parameter connection: Just accepted. Not to be used after this has returned.
    /// - Throws: What ended the connection. It ends this one alone, and is reported as
    ///   ``ListeningIncident/connectionFailed(peer:error:)``.
    func handle(_ connection: Connection) async throws

    /// Where the next connection's task is to run: by default nil, on the threads that all tasks share.
    ///
    /// For a framework with threads of its own: a task that begins on the thread that reads and writes for its
    /// connection need not change threads for each step. Whatever blocks such a thread, or keeps it busy, keeps
    /// all of its connections waiting: have code that is not the framework's run elsewhere, by
    /// `withTaskExecutorPreference(globalConcurrentExecutor)`.
    ///
    /// Called once for each connection, before ``handle(_:)``, one call after the other for one socket.
    ///
    /// - Returns: What runs the task; it has to live for as long as the socket is served.
    func taskExecutor() -> (any TaskExecutor)?
}

extension ConnectionHandler {
    /// The threads that all tasks share.
    public func taskExecutor() -> (any TaskExecutor)? { nil }

    /// Serves a socket by the kit's accept loop: one thread that accepts, and a task for each connection.
    ///
    /// - Each connection has TCP_NODELAY set, and is non-blocking and close-on-exec.
    /// - No more than ``ServingSession/maxConnections`` are open at once. At that number nothing is accepted:
    ///   further ones wait in the kernel's backlog until one closes.
    /// - Where descriptors or memory run out (EMFILE, ENFILE, ENOBUFS, ENOMEM), it reports so and goes on when a
    ///   connection closes, or after a pause of at most 1 s.
    ///   Let it not come to that: on Linux, Dispatch may end a process that has no descriptor left. `LimitNOFILE=` of the
    ///   unit is to be well above the number of connections.
    /// - On drain, a passed socket is left at once, and its backlog to the next process; a bound one is
    ///   emptied of those that already wait in the backlog, then closed, so that new ones are refused.
    ///   A client that connects in the instant between the two is reset: only passed sockets lose nobody.
    ///
    /// Cancellation closes the socket and every connection, and cancels every handler; returns when the last
    /// handler has ended.
    ///
    /// - Parameters:
    ///   - socket: Is taken over: closed when this returns or throws.
    ///   - session: Shared by the sockets of one start.
    /// - Throws: ``SocketError`` with code `closed` when the socket was closed or taken, `acceptFailed` when
    ///   the socket can no longer accept (EBADF, EINVAL, …; the handlers are cancelled then), `systemError` when
    ///   the thread or what wakes it cannot be made.
    public func serve(_ socket: ListeningSocket, in session: ServingSession) async throws {
        let loop = AcceptLoop(socket: socket, session: session, executor: taskExecutor)
        try await loop.run { connection in
            try await handle(connection)
        }
    }
}
