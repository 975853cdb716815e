import SupervisionLock

/// From the thread that accepts to the task that serves: connections, in order.
///
/// It does not end by cancellation, but when the thread says so: nothing that was accepted is lost on the way.
final class AcceptQueue: Sendable {
    private struct State {
        var connections: [Connection] = []
        var end: Result<Void, any Error>?
        var reader: CheckedContinuation<Void, Never>?
    }

    private let state = Locked(State())

    func put(_ connection: Connection) {
        change { $0.connections.append(connection) }
    }

    /// Lets the reader come to the end, after what is in the queue.
    func finish(_ end: Result<Void, any Error>) {
        change { $0.end = end }
    }

    /// Takes out everything that is there, waiting until something is.
    ///
    /// - Returns: Nil at the end.
    /// - Throws: What the thread ended by.
    func next() async throws -> [Connection]? {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                guard state.connections.isEmpty, state.end == nil else { return true }
                state.reader = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
        let (connections, end) = state.withLock { state in
            defer { state.connections = [] }
            return (state.connections, state.end)
        }
        guard connections.isEmpty else { return connections }
        try end?.get()
        return nil
    }

    private func change(_ change: (inout State) -> Void) {
        let reader = state.withLock { state in
            change(&state)
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume()
    }
}
