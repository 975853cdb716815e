import CSupervision
import SupervisionLock

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The socket, the queue before it, and the thread that empties the queue.
///
/// One lock guards all three, held for system calls that never wait. While the queue has messages only the
/// thread touches the socket; while it has none, whoever sends does. So nothing overtakes, and the thread
/// never polls a socket that somebody else closes.
final class NotifyChannel: Sendable {
    private struct State {
        var socket: NotifySocket
        var queue = NotifyQueue()
        var waiters: [FlushWaiter] = []
        var nextWaiter: UInt64 = 0
        var thread: WakeableThread?
        var isClosed = false
    }

    private let state: Locked<State>

    init(address: NotifyAddress) {
        var socket = NotifySocket(address: address)
        // Early, so that READY=1 does not fail for want of a descriptor.
        socket.open()
        state = Locked(State(socket: socket))
    }

    var droppedCount: Int {
        state.withLock { $0.queue.droppedCount }
    }

    var queuedCount: Int {
        state.withLock { $0.queue.entries.count }
    }

    func send(_ message: NotifyMessage) -> NotifyOutcome {
        let bytes = message.bytes
        guard bytes.count <= NotifyMessage.largestSize else {
            return .failed(
                SystemdError(
                    .messageTooLarge,
                    "the message is \(bytes.count) bytes long, where the manager reads at most "
                        + "\(NotifyMessage.largestSize)"
                )
            )
        }
        return state.withLock { state in
            guard !state.isClosed else { return .failed(Self.closedError) }
            let wasEmpty = state.queue.isEmpty
            if wasEmpty {
                switch state.socket.send(bytes) {
                case .sent: return .sent
                case .failed(let error): return .failed(error)
                case .full: break
                }
            }
            if let error = startThread(&state) { return .failed(error) }
            let isQueued = state.queue.append(message)
            if wasEmpty { state.thread?.wake() }
            return isQueued ? .queued : .dropped
        }
    }

    func flush(timeout: Duration) async -> Bool {
        let deadline = MonotonicInstant.now.advanced(by: timeout)
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    if state.queue.isEmpty { return !state.isClosed }
                    // The handler runs after this flag is set: it finds the waiter, or we find the flag.
                    if Task.isCancelled || timeout <= .zero { return false }
                    state.waiters.append(
                        FlushWaiter(
                            id: id,
                            upTo: state.queue.lastSequence,
                            deadline: deadline,
                            continuation: continuation
                        )
                    )
                    state.thread?.wake()
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0) }
            }
            waiter?.continuation.resume(returning: false)
        }
    }

    func close() {
        let isFirst = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        guard isFirst else { return }
        let (thread, waiters) = state.withLock { state in
            state.queue.dropAll()
            state.thread?.wake()
            defer { state.waiters = [] }
            return (state.thread, state.waiters)
        }
        for waiter in waiters { waiter.continuation.resume(returning: false) }
        // The thread's work between two polls never waits, so neither does this.
        thread?.join()
        state.withLock { $0.socket.close() }
    }

    private static let closedError = SystemdError(
        .closed,
        "the notifier is closed; make a new one to send more"
    )
}

// MARK: - The thread

extension NotifyChannel {
    private func startThread(_ state: inout State) -> SystemdError? {
        guard state.thread == nil else { return nil }
        do {
            state.thread = try WakeableThread(name: "notify") { [self] wake in run(wake) }
            return nil
        } catch {
            return error
        }
    }

    private struct Wait {
        /// Negative when there is nothing to send.
        let socket: CInt
        let milliseconds: CInt
    }

    private func run(_ wake: WakeableThread.Alarm) {
        while let wait = nextWait() {
            wake.wait(or: .writable(wait.socket), milliseconds: wait.milliseconds)
            for (continuation, result) in sendQueued() { continuation.resume(returning: result) }
        }
    }

    private func nextWait() -> Wait? {
        state.withLock { state in
            guard !state.isClosed else { return nil }
            guard !state.queue.isEmpty else { return Wait(socket: -1, milliseconds: -1) }
            let nearest = state.waiters.map(\.deadline).min()
            return Wait(
                socket: state.socket.descriptor,
                milliseconds: nearest?.millisecondsFromNow ?? -1
            )
        }
    }

    /// Sends what can be sent, and gives the waits that are over by it or by their time.
    private func sendQueued() -> [(CheckedContinuation<Bool, Never>, Bool)] {
        state.withLock { state in
            guard !state.isClosed else { return [] }
            var failed: UInt64?
            sending: while let entry = state.queue.entries.first {
                switch state.socket.send(entry.bytes) {
                case .sent: state.queue.removeFirst()
                case .full: break sending
                case .failed:
                    state.queue.dropFirst()
                    failed = failed ?? entry.sequence
                }
            }
            if let failed {
                for index in state.waiters.indices where failed <= state.waiters[index].upTo {
                    state.waiters[index].hasLost = true
                }
            }
            let oldest = state.queue.entries.first?.sequence ?? .max
            let now = MonotonicInstant.now
            var over: [(CheckedContinuation<Bool, Never>, Bool)] = []
            state.waiters.removeAll { waiter in
                guard let result = waiter.result(oldest: oldest, now: now) else { return false }
                over.append((waiter.continuation, result))
                return true
            }
            return over
        }
    }
}

/// A call of ``Notifier/flush(timeout:)`` that waits.
private struct FlushWaiter {
    let id: UInt64
    /// The last message that it waits for.
    let upTo: UInt64
    let deadline: MonotonicInstant
    let continuation: CheckedContinuation<Bool, Never>
    var hasLost = false

    func result(oldest: UInt64, now: MonotonicInstant) -> Bool? {
        if oldest > upTo { return !hasLost }
        return now >= deadline ? false : nil
    }
}

extension MonotonicInstant {
    /// For poll: rounded up, so that the instant has passed when the wait is over.
    fileprivate var millisecondsFromNow: CInt {
        let now = MonotonicInstant.now
        guard self > now else { return 0 }
        return CInt(clamping: (microseconds - now.microseconds - 1) / 1000 + 1)
    }
}
