import Supervision

extension ChildContext {
    /// Serves sockets as a listener does, until they have been drained and the child is told to stop.
    ///
    /// The child has started when all of them are served. While they are, a ``Drainer`` finds them by the name; a
    /// stop drains them too, and a cancellation cuts them.
    ///
    /// - Parameters:
    ///   - name: The name of the listener.
    ///   - sockets: What is served.
    ///   - unit: What `maxConnections` counts.
    ///   - maxConnections: How many may be open at once, over all of the sockets.
    ///   - serve: Serves one of them.
    /// - Throws: What `serve` threw; `CancellationError` where it was cut before it was drained.
    func serve<Socket: ServedSocket>(
        _ name: String,
        _ sockets: [Socket],
        counting unit: ServingSession.Unit = .connections,
        maxConnections: Int,
        by serve: @escaping @Sendable (Socket, ServingSession) async throws -> Void
    ) async throws {
        let daemon = self.daemon
        let session = ServingSession(
            name: name,
            counting: unit,
            expectedSockets: sockets.count,
            maxConnections: maxConnections,
            activity: daemon.activity,
            onStarted: { session in
                for socket in sockets { daemon.log.write(.info, "listener \(name): \(socket.place)") }
                // Whom it accepts from here on it answers, or it accepts nobody.
                if !self.reportStart() { session.beginDrain() }
            },
            report: { incident in daemon.log.write(.warning, "listener \(name): \(incident)") }
        )
        let listener = daemon.listeners.add {
            ActiveListener(session: session, sockets: sockets, serve: serve)
        }
        defer { daemon.listeners.remove(listener) }

        try await withTaskCancellationHandler {
            async let _ = drainOnShutdown(session)
            do {
                try await listener.waitUntilEnded()
            } catch is CancellationError where session.isDraining {
                // The drainer's time was up, and it cut what was left.
            }
            // Drained before it was told to stop: nothing is left to do, and it is not a failure.
            if session.isDraining { await shutdownRequested() }
        } onCancel: {
            listener.cut()
        }
    }

    private func drainOnShutdown(_ session: ServingSession) async {
        await shutdownRequested()
        session.beginDrain()
    }
}
