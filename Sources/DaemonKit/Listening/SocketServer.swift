/// What serves a listening socket: a protocol's server, on a socket that it is given.
///
/// A framework's server adopts this. Who only wants to answer connections, one at a time, implements
/// ``ConnectionHandler``, which does all of the below.
///
/// One value may serve several sockets at once, and is asked again after a restart: keep what belongs to one
/// socket inside ``serve(_:in:)``.
public protocol SocketServer: Sendable {
    /// Serves a socket until it is drained.
    ///
    /// In this order:
    /// 1. Set up. An error thrown here fails the start.
    /// 2. Call ``ServingSession/started()`` once connections are accepted.
    /// 3. Call ``ServingSession/connectionOpened()`` and ``ServingSession/connectionClosed()`` for each one.
    /// 4. When ``ServingSession/drainRequested()`` returns, or a registered ``ServingSession/onDrain(_:)`` is
    ///    called: stop accepting, let what is in flight finish, end the idle connections.
    /// 5. Return when the last connection is done.
    ///
    /// Never call shutdown(2) on the socket: where it was passed, others hold it too. Returning without having
    /// been asked to counts as the end of the listener.
    ///
    /// Cancellation: close everything at once, and return or throw.
    ///
    /// - Parameters:
    ///   - socket: Bound and listening. Use its ``ListeningSocket/descriptor`` while the call lasts, or move it
    ///     out with ``ListeningSocket/takeDescriptor()``.
    ///   - session: What this start of the listener is told, and tells; its sockets share it.
    /// - Throws: What ended it other than a drain. The listener has failed then.
    func serve(_ socket: ListeningSocket, in session: ServingSession) async throws
}
