import SupervisionLock

/// A connection that was accepted before the process was there, until it is served.
final class AcceptedSocket: ServedSocket {
    let localAddress: SocketAddress
    private let peer: SocketAddress
    private let state: Locked<CInt>

    /// Takes over a connected descriptor.
    ///
    /// - Throws: ``SocketError`` with code `notConnected`; the descriptor is still the caller's.
    init(adopting descriptor: CInt) throws(SocketError) {
        localAddress = .local(of: descriptor)
        peer = try .peer(of: descriptor)
        state = Locked(descriptor)
    }

    deinit {
        let descriptor = take()
        if descriptor >= 0 { closeDescriptor(descriptor) }
    }

    var isPassed: Bool { true }

    var place: String {
        "serving the connection from \(peer) to \(localAddress), passed by the service manager"
    }

    /// Has the connection answered, and closes it.
    func serve(
        in session: ServingSession,
        by handle: @Sendable (Connection) async throws -> Void
    ) async throws {
        let descriptor = take()
        let connection: Connection
        do {
            connection = try Connection(adopting: descriptor, in: session)
        } catch {
            if descriptor >= 0 { closeDescriptor(descriptor) }
            throw error
        }
        session.connectionOpened()
        session.started()
        await connection.serve(in: session, by: handle)
    }

    private func take() -> CInt {
        state.withLock { descriptor in
            defer { descriptor = -1 }
            return descriptor
        }
    }
}
