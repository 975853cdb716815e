import SupervisionLock

/// From the thread that accepts, or receives, to the task that serves: connections or datagrams, in order.
///
/// It does not end by cancellation, but when the thread says so: nothing that was taken is lost on the way.
final class AcceptQueue<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var end: Result<Void, any Error>?
        var reader: CheckedContinuation<Void, Never>?
    }

    private let state = Locked(State())

    func put(_ element: Element) {
        change { $0.elements.append(element) }
    }

    func put(_ elements: [Element]) {
        change { $0.elements += elements }
    }

    /// Lets the reader come to the end, after what is in the queue.
    func finish(_ end: Result<Void, any Error>) {
        change { $0.end = end }
    }

    /// Takes out everything that is there, waiting until something is.
    ///
    /// - Returns: Nil at the end.
    /// - Throws: What the thread ended by.
    func next() async throws -> [Element]? {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                guard state.elements.isEmpty, state.end == nil else { return true }
                state.reader = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
        let (elements, end) = state.withLock { state in
            defer { state.elements = [] }
            return (state.elements, state.end)
        }
        guard elements.isEmpty else { return elements }
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
