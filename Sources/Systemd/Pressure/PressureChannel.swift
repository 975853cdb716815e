import SupervisionLock

/// An opened source, the thread that watches it, and those who wait for an event.
final class PressureChannel: Sendable {
    private struct Waiter {
        let id: UInt64
        let continuation: CheckedContinuation<PressureEvent?, Never>
    }

    private struct State {
        /// Gone when nobody watches any more.
        var file: PressureFile?
        var thread: WakeableThread?
        /// The newest event that nobody has taken.
        var pending: PressureEvent?
        var waiters: [Waiter] = []
        var nextWaiter: UInt64 = 0
        /// No event comes any more.
        var hasEnded = false
        var isClosed = false
    }

    private let resource: PressureResource
    private let state: Locked<State>

    init(_ source: PressureSource) throws(SystemdError) {
        resource = source.resource
        let file = try PressureFile(opening: source)
        state = Locked(State(file: file))
        let thread = try WakeableThread(name: "pressure") { [self] alarm in watch(file, alarm) }
        state.withLock { $0.thread = thread }
    }

    func next() async -> PressureEvent? {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        let event = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: PressureEvent?? = state.withLock { state in
                    // The handler runs after this flag is set: it finds the waiter, or we find the flag.
                    if state.isClosed || Task.isCancelled { return .some(nil) }
                    if let event = state.pending {
                        state.pending = nil
                        return event
                    }
                    if state.hasEnded { return .some(nil) }
                    state.waiters.append(Waiter(id: id, continuation: continuation))
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0) }
            }
            waiter?.continuation.resume(returning: nil)
        }
        // Whoever was told of the end finds everything closed.
        if event == nil { close() }
        return event
    }

    func close() {
        let (thread, waiters) = state.withLock { state in
            state.isClosed = true
            state.pending = nil
            defer {
                state.thread = nil
                state.waiters = []
            }
            state.thread?.wake()
            return (state.thread, state.waiters)
        }
        for waiter in waiters { waiter.continuation.resume(returning: nil) }
        guard let thread else { return }
        // The thread's work between two polls never waits, so neither does this.
        thread.join()
        state.withLock { $0.file = nil }
    }

    // MARK: - The thread

    private func watch(_ file: PressureFile, _ alarm: WakeableThread.Alarm) {
        while !state.withLock({ $0.isClosed }) {
            let happenings = alarm.wait(orAny: [file.event])
            switch file.examine(happenings[0]) {
            case .nothing: break
            case .pressure: deliver(PressureEvent(resource: resource, instant: .now))
            case .ended: return end()
            }
        }
    }

    private func deliver(_ event: PressureEvent) {
        let waiter: Waiter? = state.withLock { state in
            guard !state.waiters.isEmpty else {
                if !state.isClosed { state.pending = event }
                return nil
            }
            return state.waiters.removeFirst()
        }
        waiter?.continuation.resume(returning: event)
    }

    private func end() {
        let waiters = state.withLock { state in
            state.hasEnded = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: nil) }
    }
}
