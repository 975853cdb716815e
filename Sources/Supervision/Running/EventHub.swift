import SupervisionLock
import Synchronization

/// Hands the events of a supervisor, and of those below it, to whoever reads them.
final class EventHub: Sendable {
    private struct State {
        var readers: [@Sendable (SupervisorEvent) -> Void] = []
        var streams: [Int: AsyncStream<SupervisorEvent>.Continuation] = [:]
        var next = 0
        /// Those of the supervisors above, the nearest first.
        var above: [EventHub] = []
    }

    private let state = Locked(State())
    /// Whether there are readers or streams.
    private let isRead = Atomic(false)
    private let isAttached = Atomic(false)

    /// Whether anyone would see an event.
    ///
    /// Building one costs more than asking.
    var hasReaders: Bool {
        if isRead.load(ordering: .acquiring) { return true }
        // Only that of a nested supervisor has a parent.
        guard isAttached.load(ordering: .acquiring) else { return false }
        return state.withLock(\.above).contains { $0.isRead.load(ordering: .acquiring) }
    }

    /// Passes everything on to a supervisor further up, too.
    func attach(to parent: EventHub?) {
        let above = parent.map { [$0] + $0.state.withLock(\.above) } ?? []
        state.withLock { $0.above = above }
        isAttached.store(parent != nil, ordering: .releasing)
    }

    func emit(_ event: SupervisorEvent) {
        pass(event)
        guard isAttached.load(ordering: .acquiring) else { return }
        for hub in state.withLock(\.above) { hub.pass(event) }
    }

    private func pass(_ event: SupervisorEvent) {
        guard isRead.load(ordering: .acquiring) else { return }
        let (readers, streams) = state.withLock { ($0.readers, Array($0.streams.values)) }
        for reader in readers { reader(event) }
        for stream in streams { stream.yield(event) }
    }

    /// Calls `reader` with each event, in order, before the supervisor acts on it, and after those that read before.
    func read(_ reader: @escaping @Sendable (SupervisorEvent) -> Void) {
        state.withLock { state in
            state.readers.append(reader)
            noteReaders(state)
        }
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
            noteReaders(state)
            return state.next
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { state in
                state.streams[key] = nil
                self?.noteReaders(state)
            }
        }
        return stream
    }

    /// Ends every stream: the tree is at its end.
    func finish() {
        let streams = state.withLock { state in
            defer {
                state.streams = [:]
                noteReaders(state)
            }
            return Array(state.streams.values)
        }
        for stream in streams { stream.finish() }
    }

    private func noteReaders(_ state: State) {
        isRead.store(!state.readers.isEmpty || !state.streams.isEmpty, ordering: .releasing)
    }
}
