import SupervisionLock

/// Where news reaches a running supervisor: any thread puts it in, one task takes it out, in order.
final class Inbox: Sendable {
    enum Message {
        case started(ChildRef)
        /// The child was cancelled for taking too long to start, and that has taken too long as well.
        case overdue(ChildRef, any Error)
        case ended(ChildRef, ChildExit)
        case stop
        case timer(Duration)
        case call(PendingCall)
        case withdraw(PendingCall)
        case ping(CheckedContinuation<Bool, Never>)
    }

    private struct State {
        var messages: [Message] = []
        var reader: CheckedContinuation<Void, Never>?
        var isClosed = false
    }

    /// Which run of the supervisor this is, counted from one.
    let number: Int

    private let state = Locked(State())

    init(number: Int = 1) {
        self.number = number
    }

    /// Puts a message in.
    ///
    /// - Returns: Whether it will be read; false once the supervisor has ended.
    @discardableResult
    func send(_ message: Message) -> Bool {
        let (isOpen, reader) = state.withLock { state in
            guard !state.isClosed else { return (false, nil as CheckedContinuation<Void, Never>?) }
            state.messages.append(message)
            defer { state.reader = nil }
            return (true, state.reader)
        }
        reader?.resume()
        return isOpen
    }

    /// Takes out everything that is there, without waiting.
    func takeAll() -> [Message] {
        state.withLock { state in
            defer { state.messages = [] }
            return state.messages
        }
    }

    /// Waits until there is something, and takes it all out.
    ///
    /// Not ended by cancellation: a supervisor whose task is cancelled has its stop to see to.
    func next() async -> [Message] {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                guard state.messages.isEmpty else { return true }
                state.reader = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
        return takeAll()
    }

    /// Lets nothing more in.
    ///
    /// - Returns: What nobody will read.
    func close() -> [Message] {
        state.withLock { $0.isClosed = true }
        return takeAll()
    }
}
