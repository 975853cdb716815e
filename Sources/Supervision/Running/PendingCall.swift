import SupervisionLock
import Synchronization

/// Something that was asked of a supervisor, and whoever waits for the answer.
final class PendingCall: Sendable {
    enum Request {
        case start(ChildSpec)
        case terminate(Call.Target)
        case restart(Call.Target)
        case delete(Call.Target)
        case find(Call.Target)
        case spec(Call.Target)
        case children
        case count
        /// Everything, at once, without waiting for the calls that came before.
        case look(limit: Int)
    }

    enum Answer {
        case done
        case started(slot: Int, run: Int)
        case ignored
        case spec(ChildSpec)
        case snapshots([TreeSnapshot])
        case count(ChildCount)
        case look(Look)
    }

    /// What one supervisor knows of itself, and the supervisors to ask for the rest.
    struct Look {
        var snapshot: TreeSnapshot
        var nested: [(index: Int, supervisor: any NestedSupervisor)]
    }

    private enum State {
        case asked
        case waiting(UnsafeContinuation<Answer, any Error>)
        case answered(Result<Answer, any Error>)
        case over
    }

    private static let numbers = Atomic(0)

    let number: Int
    let request: Request
    private let state = Locked(State.asked)

    init(_ request: Request) {
        number = Self.numbers.add(1, ordering: .relaxed).newValue
        self.request = request
    }

    /// The answer, where it has come before anybody waits.
    var result: Result<Answer, any Error>? {
        state.withLock { if case .answered(let result) = $0 { result } else { nil } }
    }

    /// Whether nobody waits for an answer any more.
    var isOver: Bool {
        state.withLock { state in
            switch state {
            case .asked, .waiting: false
            case .answered, .over: true
            }
        }
    }

    /// Waits; the answer may have come before.
    func wait(_ continuation: UnsafeContinuation<Answer, any Error>) {
        let result = state.withLock { state -> Result<Answer, any Error>? in
            if case .answered(let result) = state {
                state = .over
                return result
            }
            state = .waiting(continuation)
            return nil
        }
        if let result { continuation.resume(with: result) }
    }

    /// Answers; only the first answer counts.
    func answer(_ result: sending Result<Answer, any Error>) {
        let continuation = state.withLock { state -> UnsafeContinuation<Answer, any Error>? in
            switch state {
            case .asked:
                state = .answered(result)
                return nil
            case .waiting(let continuation):
                state = .over
                return continuation
            case .answered, .over:
                return nil
            }
        }
        continuation?.resume(with: result)
    }
}
