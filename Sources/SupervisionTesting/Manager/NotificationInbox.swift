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
        var observers: [Int: @Sendable (ReceivedNotification) -> Void] = [:]
        var nextObserver = 0
        var nextUnread = 0
        var waiters: [Waiter] = []
        var nextWaiter: UInt64 = 0
        var isPaused = false
        var isClosed = false
        var shelf: DescriptorShelf
    }

    private let descriptor: CInt
    private let state: Locked<State>

    init(descriptor: CInt, descriptorStoreLimit: Int) {
        self.descriptor = descriptor
        state = Locked(State(shelf: DescriptorShelf(limit: descriptorStoreLimit)))
    }

    var received: [ReceivedNotification] {
        receiveAll()
        return state.withLock { $0.received }
    }

    /// Calls `observer` with each message from now on, in order, until it is taken away again.
    ///
    /// - Returns: What it is taken away by.
    func observe(_ observer: @escaping @Sendable (ReceivedNotification) -> Void) -> Int {
        receiveAll()
        return state.withLock { state in
            defer { state.nextObserver += 1 }
            state.observers[state.nextObserver] = observer
            return state.nextObserver
        }
    }

    func removeObserver(_ number: Int) {
        state.withLock { _ = $0.observers.removeValue(forKey: number) }
    }

    /// What is stored; not to be closed.
    var stored: [PassedDescriptor] {
        receiveAll()
        return state.withLock { $0.shelf.contents }
    }

    /// Duplicates of what is stored, for the caller to close.
    func duplicateStored() throws(SystemdError) -> [PassedDescriptor] {
        receiveAll()
        return try state.withLock { state throws(SystemdError) in
            var duplicates: [PassedDescriptor] = []
            for stored in state.shelf.contents {
                do throws(SystemdError) {
                    let number = try OwnedDescriptor.duplicate(stored.number)
                    duplicates.append(PassedDescriptor(number: number, name: stored.name))
                } catch {
                    for duplicate in duplicates { closeDescriptor(duplicate.number) }
                    throw error
                }
            }
            return duplicates
        }
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
            state.shelf.empty()
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
            receiveAll()
        }
    }

    /// Takes what has been sent by now: whoever looks does not depend on how fast the thread is.
    func receiveAll() {
        while receiveOne() {}
    }

    // Under the lock, so that nothing is read once pausing has returned.
    private func receiveOne() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 8192)
        var numbers = [CInt](repeating: -1, count: Int(CSUPERVISION_MOST_RIGHTS))
        var numberCount = 0
        let delivery: (message: ReceivedNotification, waiter: Waiter?)? = state.withLock { state in
            guard !state.isPaused, !state.isClosed else { return nil }
            let count = csupervision_rights_receive(
                descriptor,
                &buffer,
                buffer.count,
                &numbers,
                &numberCount
            )
            guard count >= 0 else { return nil }
            // Closed at the end of this scope unless somebody keeps them: a barrier's too, after all before it.
            let descriptors = numbers[..<numberCount].map { OwnedDescriptor(taking: $0) }
            let message = ReceivedNotification(
                bytes: Array(buffer[..<Int(count)]),
                descriptorCount: descriptors.count
            )
            state.shelf.process(message, with: descriptors)
            state.received.append(message)
            // Under the lock: who asks for all that was received finds that the observers have it too.
            for observer in state.observers.values { observer(message) }
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
