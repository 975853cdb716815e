import CSupervision
import SupervisionLock
import Systemd

/// The fake manager's socket and the messages that came out of it.
final class NotificationInbox: Sendable {
    private struct Waiter {
        let id: UInt64
        let continuation: CheckedContinuation<ReceivedNotification, any Error>
    }

    private struct State {
        var received: [ReceivedNotification] = []
        var nextUnread = 0
        var waiters: [Waiter] = []
        var nextWaiter: UInt64 = 0
        var isPaused = false
        var isClosed = false
    }

    private let descriptor: CInt
    private let state = Locked(State())

    init(descriptor: CInt) {
        self.descriptor = descriptor
    }

    var received: [ReceivedNotification] {
        state.withLock { $0.received }
    }

    func setPaused(_ isPaused: Bool) {
        state.withLock { $0.isPaused = isPaused }
    }

    func next() async throws -> ReceivedNotification {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer: Result<ReceivedNotification, any Error>? = state.withLock { state in
                    if state.nextUnread < state.received.count {
                        defer { state.nextUnread += 1 }
                        return .success(state.received[state.nextUnread])
                    }
                    if state.isClosed { return .failure(Self.closedError) }
                    // The handler runs after this flag is set: it finds the waiter, or we find the flag.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    state.waiters.append(Waiter(id: id, continuation: continuation))
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0) }
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }

    func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(throwing: Self.closedError) }
    }

    /// After the reading thread has ended.
    func closeSocket() {
        closeDescriptor(descriptor)
    }

    /// The reading thread.
    @Sendable func read(_ alarm: WakeableThread.Alarm) {
        while true {
            let (isClosed, isPaused) = state.withLock { ($0.isClosed, $0.isPaused) }
            if isClosed { return }
            alarm.wait(or: .readable(isPaused ? -1 : descriptor))
            while receiveOne() {}
        }
    }

    // Under the lock, so that nothing is read once pausing has returned.
    private func receiveOne() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 8192)
        let delivery: (message: ReceivedNotification, waiter: Waiter?)? = state.withLock { state in
            guard !state.isPaused, !state.isClosed else { return nil }
            let count = csupervision_notify_receive(descriptor, &buffer, buffer.count)
            guard count >= 0 else { return nil }
            let message = ReceivedNotification(bytes: Array(buffer[..<Int(count)]))
            state.received.append(message)
            guard !state.waiters.isEmpty else { return (message, nil) }
            state.nextUnread += 1
            return (message, state.waiters.removeFirst())
        }
        guard let delivery else { return false }
        delivery.waiter?.continuation.resume(returning: delivery.message)
        return true
    }

    private static let closedError = SystemdError(
        .closed,
        "the fake manager is closed, and no message is left"
    )
}
