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
    struct State {
        var socket: NotifySocket
        var queue = NotifyQueue()
        var waiters: [FlushWaiter] = []
        var barriers: [BarrierWaiter] = []
        var nextWaiter: UInt64 = 0
        var thread: WakeableThread?
        var isClosed = false
    }

    let state: Locked<State>

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
        if let problem = message.problem { return .failed(problem) }
        return state.withLock { state in
            guard !state.isClosed else { return .failed(Self.closedError) }
            let wasEmpty = state.queue.isEmpty
            var isUnderWay = false
            if wasEmpty {
                switch state.socket.send(bytes, message.descriptors) {
                case .sent: return .sent
                case .failed(let error): return .failed(error)
                case .full: break
                case .underWay: isUnderWay = true
                }
            }
            if let error = startThread(&state) {
                // What is half out must not be the beginning of the next message.
                if isUnderWay { state.socket.close() }
                return .failed(error)
            }
            let isQueued = state.queue.append(message)
            if isUnderWay { state.queue.keepFirst() }
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
        let (thread, conclusions) = state.withLock { state in
            state.queue.dropAll()
            state.thread?.wake()
            defer {
                state.waiters = []
                state.barriers = []
            }
            return (
                state.thread,
                state.waiters.map { Conclusion.flush($0.continuation, false) }
                    + state.barriers.map { .barrier($0.continuation, .failed(Self.closedError)) }
            )
        }
        for conclusion in conclusions { conclusion.announce() }
        // The thread's work between two polls never waits, so neither does this.
        thread?.join()
        state.withLock { $0.socket.close() }
    }

    static let closedError = SystemdError(
        .closed,
        "the notifier is closed; make a new one to send more"
    )
}

// MARK: - The thread

extension NotifyChannel {
    /// A wait that is over: to be told to whoever waits, outside the lock.
    enum Conclusion {
        case flush(CheckedContinuation<Bool, Never>, Bool)
        case barrier(CheckedContinuation<BarrierOutcome, Never>, BarrierOutcome)

        func announce() {
            switch self {
            case .flush(let continuation, let result): continuation.resume(returning: result)
            case .barrier(let continuation, let outcome): continuation.resume(returning: outcome)
            }
        }
    }

    func startThread(_ state: inout State) -> SystemdError? {
        guard state.thread == nil else { return nil }
        do {
            state.thread = try WakeableThread(name: "notify") { [self] wake in run(wake) }
            return nil
        } catch {
            return error
        }
    }

    private struct Wait {
        let events: [WakeableThread.Event]
        let milliseconds: CInt
        /// What the events name, open for as long as they are waited for.
        let readEnds: [OwnedDescriptor]
    }

    private func run(_ wake: WakeableThread.Alarm) {
        while let wait = nextWait() {
            withExtendedLifetime(wait.readEnds) {
                _ = wake.wait(orAny: wait.events, milliseconds: wait.milliseconds)
            }
            for conclusion in proceed() { conclusion.announce() }
        }
    }

    private func nextWait() -> Wait? {
        state.withLock { state in
            guard !state.isClosed else { return nil }
            let readEnds = state.barriers.filter(\.hasLeft).map(\.readEnd)
            var events = readEnds.map { WakeableThread.Event.hangup($0.number) }
            if !state.queue.isEmpty { events.append(state.socket.event) }
            let nearest = (state.waiters.map(\.deadline) + state.barriers.map(\.deadline)).min()
            return Wait(
                events: events,
                milliseconds: nearest?.millisecondsFromNow ?? -1,
                readEnds: readEnds
            )
        }
    }

    /// Sends what can be sent, and gives the waits that are over by it, by the manager, or by their time.
    private func proceed() -> [Conclusion] {
        state.withLock { state in
            guard !state.isClosed else { return [] }
            let now = MonotonicInstant.now
            return Self.sendQueued(&state) + Self.endedFlushes(&state, now: now)
                + Self.endedBarriers(&state, now: now)
        }
    }

    private static func sendQueued(_ state: inout State) -> [Conclusion] {
        var conclusions: [Conclusion] = []
        while let entry = state.queue.entries.first {
            switch state.socket.send(entry.bytes, entry.descriptors) {
            case .sent:
                state.queue.removeFirst()
                if let barrier = entry.barrier { state.markLeft(barrier) }
            case .full:
                return conclusions
            case .underWay:
                state.queue.keepFirst()
                return conclusions
            case .failed(let error):
                state.queue.dropFirst()
                if let barrier = entry.barrier, let waiter = state.removeBarrier(barrier) {
                    conclusions.append(.barrier(waiter.continuation, .failed(error)))
                }
                for index in state.waiters.indices where entry.sequence <= state.waiters[index].upTo {
                    state.waiters[index].hasLost = true
                }
            }
        }
        return conclusions
    }

    private static func endedFlushes(_ state: inout State, now: MonotonicInstant) -> [Conclusion] {
        let oldest = state.queue.entries.first?.sequence ?? .max
        var conclusions: [Conclusion] = []
        state.waiters.removeAll { waiter in
            guard let result = waiter.result(oldest: oldest, now: now) else { return false }
            conclusions.append(.flush(waiter.continuation, result))
            return true
        }
        return conclusions
    }
}

/// A call of ``Notifier/flush(timeout:)`` that waits.
struct FlushWaiter {
    let id: UInt64
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
