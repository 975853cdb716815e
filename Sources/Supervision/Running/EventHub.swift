import SupervisionLock

/// Hands the events of a supervisor, and of those below it, to whoever reads them.
final class EventHub: Sendable {
    private struct State {
        var readers: [@Sendable (SupervisorEvent) -> Void] = []
        var streams: [Int: AsyncStream<SupervisorEvent>.Continuation] = [:]
        var next = 0
        var parent: EventHub?
    }

    private let state = Locked(State())

    /// Whether anyone would see an event.
    ///
    /// Building one costs more than asking.
    var hasReaders: Bool {
        let (isRead, parent) = state.withLock { (!$0.readers.isEmpty || !$0.streams.isEmpty, $0.parent) }
        return isRead || parent?.hasReaders == true
    }

    /// Passes everything on to a supervisor further up, too.
    func attach(to parent: EventHub?) {
        state.withLock { $0.parent = parent }
    }

    func emit(_ event: SupervisorEvent) {
        let (readers, streams, parent) = state.withLock { state in
            (state.readers, Array(state.streams.values), state.parent)
        }
        for reader in readers { reader(event) }
        for stream in streams { stream.yield(event) }
        parent?.emit(event)
    }

    /// Calls `reader` with each event, in order, before the supervisor acts on it, and after those that read before.
    func read(_ reader: @escaping @Sendable (SupervisorEvent) -> Void) {
        state.withLock { $0.readers.append(reader) }
    }

    func stream(
        bufferingPolicy: AsyncStream<SupervisorEvent>.Continuation.BufferingPolicy
    ) -> AsyncStream<SupervisorEvent> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: SupervisorEvent.self,
            bufferingPolicy: bufferingPolicy
        )
        let key = state.withLock { state in
            defer { state.next += 1 }
            state.streams[state.next] = continuation
            return state.next
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.streams.removeValue(forKey: key) }
        }
        return stream
    }

    /// Ends every stream: the tree is at its end.
    func finish() {
        let streams = state.withLock { state in
            defer { state.streams = [:] }
            return Array(state.streams.values)
        }
        for stream in streams { stream.finish() }
    }
}
