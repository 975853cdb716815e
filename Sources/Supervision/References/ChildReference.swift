import SupervisionLock

/// Stands for a child across its restarts, and gives what it has published.
///
/// Make one, let a child publish through it, and hand it to whoever needs that child, above or below it in the
/// tree or outside of it:
///
/// ```swift
/// let database = ChildReference<DatabasePool>()
///
/// Supervisor {
///     ChildSpec("database", publishing: database) { child in
///         try await withDatabasePool { pool in
///             child.started(pool)
///             try await pool.run()
///         }
///     }
///     Listener("http") { connection in
///         let pool = try await database.value
///         try await answer(connection, from: pool)
///     }
/// }
/// ```
///
/// Reading ``value`` gives what the running copy published. While the child has not started yet, or is being
/// started again, reading suspends; when the child is gone for good it throws. A value is good until its copy
/// ends: ask again for each use, rather than keeping it.
///
/// One reference belongs to one child. Everything here may be called from anywhere at any time.
///
/// - Note: In OTP: a registered name. Names are looked up in a table of the whole node, and looking up a child
///   that is being restarted fails.
public final class ChildReference<Value: Sendable>: Sendable {
    private struct State {
        var owner: ObjectIdentifier?
        var value: Value?
        var gone: SupervisorError?
        var waiters: [Int: CheckedContinuation<Value, any Error>] = [:]
        var nextWaiter = 0
    }

    private let state = Locked(State())

    /// Makes a reference to a child that is still to be named.
    public init() {}

    /// What the child has published.
    ///
    /// Suspends until there is something to give: not without end if the reading task is cancelled, or if the
    /// tree ends.
    ///
    /// - Throws: ``SupervisorError`` with code `childGone` when the child has ended and will not be started
    ///   again, with its last error as ``SupervisorError/underlying``. It may be started again by somebody's
    ///   call all the same; then reading succeeds again. `CancellationError` when the task is cancelled.
    public var value: Value {
        get async throws {
            let waiter = state.withLock { state in
                state.nextWaiter += 1
                return state.nextWaiter
            }
            return try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    let result = state.withLock { state -> Result<Value, any Error>? in
                        if Task.isCancelled { return .failure(CancellationError()) }
                        if let value = state.value { return .success(value) }
                        if let gone = state.gone { return .failure(gone) }
                        state.waiters[waiter] = continuation
                        return nil
                    }
                    if let result { continuation.resume(with: result) }
                }
            } onCancel: {
                state.withLock { $0.waiters.removeValue(forKey: waiter) }?
                    .resume(throwing: CancellationError())
            }
        }
    }

    /// What the child has published, if it is running now; without waiting.
    public var current: Value? {
        state.withLock(\.value)
    }

    /// Publishes what a copy of the child has; nothing comes of it when that copy has ended.
    func publish(_ value: Value, from child: ChildContext) {
        let waiters = state.withLock { state -> [Int: CheckedContinuation<Value, any Error>] in
            guard state.owner == ObjectIdentifier(child) else { return [:] }
            state.value = value
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume(returning: value) }
    }
}

extension ChildReference: Referent {
    var isInUse: Bool { state.withLock { $0.owner != nil } }

    func expect() {
        state.withLock { state in
            if state.owner == nil { state.gone = nil }
        }
    }

    func begin(_ child: ChildContext) {
        state.withLock { state in
            state.owner = ObjectIdentifier(child)
            state.value = nil
            state.gone = nil
        }
    }

    func end(_ child: ChildContext) {
        state.withLock { state in
            guard state.owner == ObjectIdentifier(child) else { return }
            state.owner = nil
            state.value = nil
        }
    }

    func retire(_ error: SupervisorError) {
        let waiters = state.withLock { state in
            state.owner = nil
            state.value = nil
            state.gone = error
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume(throwing: error) }
    }
}
