import SupervisionLock

/// How a supervisor is reached from outside, whether it runs or not.
final class ControlPort: Sendable {
    private struct State {
        var inbox: Inbox?
        var isStopRequested = false
        var runs = 0
    }

    private let state = Locked(State())

    /// Begins a run.
    ///
    /// - Returns: Where the run reads what is asked of it; a stop that came before is in it already.
    func open(at path: ChildPath) throws(SupervisorError) -> Inbox {
        let inbox = state.withLock { state -> Inbox? in
            guard state.inbox == nil else { return nil }
            let inbox = Inbox(number: state.runs + 1)
            if state.isStopRequested { inbox.send(.stop) }
            state = State(inbox: inbox, runs: state.runs + 1)
            return inbox
        }
        guard let inbox else { throw SupervisorError(.alreadyRunning, path: path) }
        return inbox
    }

    /// Which run is under way, counted from one, or was the last.
    var run: Int { state.withLock(\.runs) }

    /// Whether a run is under way.
    var isOpen: Bool { state.withLock { $0.inbox != nil } }

    /// Ends the run.
    func close() {
        state.withLock { $0.inbox = nil }
    }

    /// Asks for a stop, of this run or else of the next.
    func stop() {
        let inbox = state.withLock { state in
            if state.inbox == nil { state.isStopRequested = true }
            return state.inbox
        }
        inbox?.send(.stop)
    }

    /// Waits until everything that came before has been dealt with; false when there is no run.
    func ping() async -> Bool {
        guard let inbox = state.withLock(\.inbox) else { return false }
        return await withCheckedContinuation { continuation in
            if !inbox.send(.ping { continuation.resume(returning: $0) }) {
                continuation.resume(returning: false)
            }
        }
    }

    /// Asks for something, and waits for the answer.
    ///
    /// Called on the pool: the supervisor may act on the calling thread.
    ///
    /// - Throws: `SupervisorError` with code `notRunning` where nobody is there to answer;
    ///   `CancellationError` when the calling task is cancelled meanwhile, if that is to end the wait.
    nonisolated(nonsending) func ask(
        _ request: PendingCall.Request,
        isCancellable: Bool = true
    ) async throws -> PendingCall.Answer {
        guard let inbox = state.withLock(\.inbox) else { throw SupervisorError(.notRunning) }
        if isCancellable { try Task.checkCancellation() }
        let call = PendingCall(request)
        guard inbox.bring(.call(call)) else { throw SupervisorError(.notRunning) }
        if let result = call.result { return try result.get() }
        return try await withTaskCancellationHandler {
            // Resumed once: only the first answer counts.
            try await withUnsafeThrowingContinuation { call.wait($0) }
        } onCancel: {
            guard isCancellable else { return }
            // One that is being served is served to its end, without anybody to hear of it.
            call.answer(.failure(CancellationError()))
            inbox.send(.withdraw(call))
        }
    }

    /// Asks for something, without waiting for the answer.
    func post(_ request: PendingCall.Request) {
        state.withLock(\.inbox)?.send(.call(PendingCall(request)))
    }
}
