import SupervisionLock

/// Where news reaches a running supervisor: any thread puts it in, whoever acts for it takes it out, in order.
final class Inbox: Sendable {
    enum Message {
        case started(ChildRef)
        /// The child has taken too long to start.
        case late(ChildRef)
        /// The child was cancelled for taking too long to start, and that has taken too long as well.
        case overdue(ChildRef, any Error)
        case ended(ChildRef, ChildExit)
        case stop
        case timer(Duration)
        case call(PendingCall)
        case withdraw(PendingCall)
        /// Answers that it was read, or that it never will be.
        case ping(@Sendable (_ isRead: Bool) -> Void)
    }

    /// Who reads it: called once, by whoever takes it out under the lock.
    struct Reader: Sendable {
        typealias Waiting = UnsafeContinuation<Call, Never>

        /// The task that waits for news.
        let task: Waiting
        /// Acts upon the news in its place, on the calling thread, as far as that takes no time.
        ///
        /// A function, and no method of a protocol, so that it is made for the machine that there is.
        let visit: @Sendable (_ task: Waiting) -> Void

        /// What the task is told.
        enum Call {
            /// There was news before it waited: to go on as it was.
            case stay
            /// To act upon the news.
            case work
            /// To do that in a moment: the thread has most likely been lent by somebody.
            case visit
            /// Nothing more: others act.
            case leave
        }
    }

    private struct State {
        var messages = Queue<Message>()
        var reader: Reader?
        var isClosed = false
    }

    /// Which run of the supervisor this is, counted from one.
    let number: Int

    /// Where the task runs that reads it.
    let executor = LoopExecutor()

    private let state = Locked(State())

    init(number: Int = 1) {
        self.number = number
    }

    /// Puts a message in.
    ///
    /// - Returns: Whether it will be read; false once the supervisor has ended.
    @discardableResult
    func send(_ message: Message) -> Bool {
        let (isOpen, reader) = put(message)
        reader?.task.resume(returning: .work)
        return isOpen
    }

    /// Puts a message in, and lends the calling thread to the task that reads it.
    ///
    /// - Returns: Whether it will be read; false once the supervisor has ended.
    @discardableResult
    func bring(_ message: Message) -> Bool {
        let (isOpen, reader) = put(message)
        if let reader { executor.lend { reader.task.resume(returning: .visit) } }
        return isOpen
    }

    /// Puts the last message of a child in, whose task acts for the supervisor then.
    func leave(_ message: Message) {
        if let reader = put(message).reader { reader.visit(reader.task) }
    }

    private func put(_ message: Message) -> (isOpen: Bool, reader: Reader?) {
        state.withLock { state in
            guard !state.isClosed else { return (false, nil) }
            state.messages.push(message)
            defer { state.reader = nil }
            return (true, state.reader)
        }
    }

    /// Takes out everything that is there, without waiting.
    ///
    /// - Parameter empty: Where that goes. Nothing is in it, and its room serves for what comes next.
    func takeAll(_ empty: inout Queue<Message>) {
        var taken = empty
        empty = Queue()
        state.withLock { swap(&$0.messages, &taken) }
        empty = taken
    }

    /// Has a reader called as soon as there is something.
    ///
    /// - Returns: Whether it will be; false where there is something already.
    func wait(_ reader: Reader) -> Bool {
        state.withLock { state in
            guard state.messages.isEmpty else { return false }
            state.reader = reader
            return true
        }
    }

    /// Puts what was done before in order with what others do once they have met here, or have put something in.
    func meet() {
        state.withLock { _ in }
    }

    /// Lets nothing more in.
    ///
    /// - Returns: What nobody will read.
    func close() -> Queue<Message> {
        state.withLock { state in
            state.isClosed = true
            defer { state.messages = Queue() }
            return state.messages
        }
    }
}
