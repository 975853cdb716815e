import SupervisionLock

/// Whether anything is being served, and since when not: over all listeners of a tree.
final class Activity: Sendable {
    private struct State {
        var count = 0
        var idleSince = Duration.zero
        var clock: (@Sendable () -> Duration)?
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Locked(State())

    /// Has the moments told in this time from now on; what is not being served now is idle from now on.
    func measure(on clock: @escaping @Sendable () -> Duration) {
        state.withLock { state in
            state.clock = clock
            state.idleSince = clock()
        }
    }

    /// Something begins to be served, or several of it.
    func begin(_ count: Int = 1) {
        state.withLock { $0.count += count }
    }

    /// It is over.
    func end() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.count -= 1
            guard state.count == 0, let clock = state.clock else { return nil }
            state.idleSince = clock()
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Waits until nothing is being served, or the task is cancelled.
    ///
    /// For one at a time.
    ///
    /// - Returns: Since when that is so.
    func idle() async -> Duration {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isIdle = state.withLock { state in
                    guard state.count > 0, !Task.isCancelled else { return true }
                    state.waiter = continuation
                    return false
                }
                if isIdle { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }
        return state.withLock(\.idleSince)
    }

    /// Whether nothing has been served since then.
    func isIdle(since moment: Duration) -> Bool {
        state.withLock { $0.count == 0 && $0.idleSince == moment }
    }
}
