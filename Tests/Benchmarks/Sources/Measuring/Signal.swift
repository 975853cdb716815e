import Synchronization

/// Something that happens again and again, and that one task waits for each time.
///
/// As small as possible: what is measured is the other side.
public final class Signal: Sendable {
    private struct State {
        var sent = 0
        var waiter: UnsafeContinuation<Bool, Never>?
    }

    private let state = Mutex(State())

    /// Makes a signal that has not been sent.
    public init() {}

    /// Sends it once more.
    public func send() {
        let waiter = state.withLock { state in
            if state.waiter == nil { state.sent += 1 }
            return state.waiter.take()
        }
        waiter?.resume(returning: true)
    }

    /// Waits for the next one, whether the task is cancelled or not.
    public func wait() async {
        if takeOne() { return }
        _ = await next(unlessCancelled: false)
    }

    /// Waits for the next one, or until the task is cancelled.
    ///
    /// - Returns: Whether it was sent.
    public func isSent() async -> Bool {
        await withTaskCancellationHandler {
            await next(unlessCancelled: true)
        } onCancel: {
            state.withLock { $0.waiter.take() }?.resume(returning: false)
        }
    }

    private func takeOne() -> Bool {
        state.withLock { state in
            guard state.sent > 0 else { return false }
            state.sent -= 1
            return true
        }
    }

    private func next(unlessCancelled: Bool) async -> Bool {
        await withUnsafeContinuation { continuation in
            let isSent: Bool? = state.withLock { state in
                if state.sent > 0 {
                    state.sent -= 1
                    return true
                }
                if unlessCancelled, Task.isCancelled { return false }
                state.waiter = continuation
                return nil
            }
            if let isSent { continuation.resume(returning: isSent) }
        }
    }
}

/// Suspends until the task is cancelled.
public func untilCancelled() async {
    _ = await Signal().isSent()
}
