/// One start of a listener, while it is served.
final class ActiveListener: Sendable {
    let session: ServingSession

    /// Where it listens.
    let addresses: [SocketAddress]

    /// Whether the manager passed all of its sockets, and so holds them too.
    let isPassed: Bool

    private let serving: Task<Void, any Error>

    var name: String { session.name }

    /// Begins to serve the sockets.
    init<Socket: ServedSocket>(
        session: ServingSession,
        sockets: [Socket],
        serve: @escaping @Sendable (Socket, ServingSession) async throws -> Void
    ) {
        self.session = session
        addresses = sockets.map(\.localAddress)
        isPassed = sockets.allSatisfy(\.isPassed)
        serving = Task {
            try await withThrowingDiscardingTaskGroup { group in
                for socket in sockets {
                    group.addTask { try await serve(socket, session) }
                }
            }
        }
    }

    /// Waits until every socket has been drained, or one of them has failed.
    ///
    /// Does not end by cancellation.
    func waitUntilEnded() async throws {
        try await serving.value
    }

    /// Closes the sockets and every connection.
    func cut() {
        serving.cancel()
    }
}
