extension ListeningSocket {
    /// Binds an endpoint, and listens: what a listener does where no socket was passed.
    ///
    /// TCP sockets have SO_REUSEADDR, so that a restart need not wait for old connections to time out. Asks no
    /// resolver, and so does not block.
    ///
    /// - Parameters:
    ///   - endpoint: Where.
    ///   - kind: What its connections carry; streams by default. Sequential packets are of Unix sockets alone.
    ///   - backlog: How many connections may wait to be accepted, at least 1; default 4096. The kernel cuts it at
    ///     `net.core.somaxconn`.
    ///   - name: What to call it.
    /// - Returns: The socket, of origin ``Origin/bound``. Clients can connect from now on.
    /// - Throws: ``SocketError`` with code `invalidEndpoint` where no machine could bind that, or `cannotBind` where
    ///   this one does not: in use (EADDRINUSE), not permitted (EACCES), not its address (EADDRNOTAVAIL), …
    public static func bind(
        _ endpoint: Endpoint,
        kind: ConnectionKind = .stream,
        backlog: Int = 4096,
        name: String
    ) throws -> ListeningSocket {
        guard backlog >= 1 else {
            let message = "cannot bind \(endpoint) for \"\(name)\": backlog \(backlog); at least 1 is needed"
            throw SocketError(.invalidEndpoint, message)
        }
        let bound = try BoundSocket(
            endpoint,
            type: kind == .stream ? .stream : .sequentialPackets,
            backlog: CInt(clamping: backlog),
            name: name
        )
        do {
            return try ListeningSocket(
                adopting: bound.descriptor,
                name: name,
                origin: .bound,
                kind: kind,
                file: bound.file
            )
        } catch {
            closeDescriptor(bound.descriptor)
            throw error
        }
    }
}
