import SupervisionLock

/// A piece of work under a ``TaskSupervisor``, and its result.
///
/// Unlike a `Task` it does not outlive its supervisor: when that stops, the work is cancelled and waited for.
/// Letting go of this value changes nothing for the work.
public final class SupervisedTask<Value: Sendable>: Sendable {
    private struct State {
        var result: Result<Value, any Error>?
        var waiters: [CheckedContinuation<Value, any Error>] = []
        var onEnd: (@Sendable (Result<Value, any Error>) -> Void)?
        var child: DynamicChild?
        var isCancelled = false
    }

    private let core: DynamicCore
    private let state: Locked<State>

    init(_ core: DynamicCore, onEnd: (@Sendable (Result<Value, any Error>) -> Void)? = nil) {
        self.core = core
        state = Locked(State(onEnd: onEnd))
    }

    /// What the work returned.
    ///
    /// Suspends until the work has ended. Cancelling the reading task does not cancel the work, and does not end
    /// the wait, as with `Task.value`.
    ///
    /// - Throws: What the work threw. ``SupervisorError`` with code `childGone` when the work did not end in the
    ///   time it had, and was abandoned.
    public var value: Value {
        get async throws {
            try await withCheckedThrowingContinuation { continuation in
                let result = state.withLock { state -> Result<Value, any Error>? in
                    if let result = state.result { return result }
                    state.waiters.append(continuation)
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        }
    }

    /// What came of the work: ``value``, as a value.
    ///
    /// Suspends until the work has ended, also where the reading task is cancelled.
    public var result: Result<Value, any Error> {
        get async {
            do { return .success(try await value) } catch { return .failure(error) }
        }
    }

    /// Cancels the work, and returns at once.
    ///
    /// It has the time that the supervisor's `shutdown` gives it; after that it is abandoned, and ``value`` throws.
    public func cancel() {
        let child = state.withLock { state in
            state.isCancelled = true
            return state.child
        }
        if let child { core.post(.terminate(.slot(child.number)), to: child.run) }
    }

    /// Starts the work.
    func start(_ work: @escaping @Sendable () async throws -> Value) async throws {
        let child = try await core.startChild(referent: self) { [self] child in
            child.started()
            do {
                let value = try await work()
                end(.success(value))
            } catch {
                end(.failure(error))
                throw error
            }
        }
        let isCancelled = state.withLock { state in
            state.child = child
            return state.isCancelled
        }
        if isCancelled { cancel() }
    }

    /// Gives up on work that could not be started.
    func fail(_ error: any Error) {
        end(.failure(error))
    }

    /// Keeps the result; the first one counts.
    private func end(_ result: Result<Value, any Error>) {
        let former = state.withLock { state -> State? in
            guard state.result == nil else { return nil }
            defer {
                state.result = result
                state.waiters = []
                state.onEnd = nil
            }
            return state
        }
        guard let former else { return }
        for waiter in former.waiters { waiter.resume(with: result) }
        former.onEnd?(result)
    }
}

extension SupervisedTask: Referent {
    // Each has one child of its own.
    var isInUse: Bool { false }

    func expect() {}

    func begin(_ child: ChildContext) {}

    func end(_ child: ChildContext) {}

    func retire(_ error: SupervisorError) {
        // Of work that has ended the result is there.
        end(.failure(error))
    }
}
