public import Supervision
import SupervisionLock

/// What a test does to the children of the tree that it runs, whosever they are.
///
/// ```swift
/// try trial.faults.fail("database")
/// try await trial.story.wait(for: .start(of: "database"), count: 2)
/// ```
///
/// The children know nothing of it. Those of dynamic supervisors are named by their numbers.
public final class Faults: Sendable {
    private struct State {
        var acts: [ChildPath: Act] = [:]
        var startFailures: [ChildPath: [any Error]] = [:]
        var heldStops: [ChildPath: Gate] = [:]
        var tokens: [Token.Reference] = []
        /// With how many tokens those that are gone are forgotten: not at every end, for the more children there are
        /// the longer it takes.
        var mostTokens = 64
        var isOver = false
        var tree: TreeValues?

        mutating func add(_ token: Token, of path: ChildPath) {
            if tokens.count >= mostTokens {
                forgetTokens()
                mostTokens = max(64, 2 * tokens.count)
            }
            tokens.append(Token.Reference(token, path))
        }

        mutating func forgetTokens() {
            tokens.removeAll { $0.token == nil }
        }
    }

    private let state = Locked(State())

    /// Makes faults for one trial, to be set before its children start: a trial makes its own otherwise.
    public init() {}

    /// Has a child fail now: it is cancelled, and when its body has ended the child throws the error.
    ///
    /// A body that does not heed its cancellation goes on until it does.
    ///
    /// - Parameters:
    ///   - child: The child.
    ///   - error: What it throws; an ``InjectedFailure`` by default.
    /// - Throws: ``ChildNotRunning`` when it does not run.
    public func fail(_ child: ChildPath, with error: any Error = InjectedFailure()) throws {
        let (act, running) = state.withLock { ($0.acts[child], Array($0.acts.keys)) }
        guard let act else { throw ChildNotRunning(child: child, running: running) }
        act.fail(error)
    }

    /// Has the next starts of a child fail: its body is not run at all.
    ///
    /// - Parameters:
    ///   - child: The child, which need not be there yet.
    ///   - error: What it throws; an ``InjectedFailure`` by default.
    ///   - times: How many starts fail, after those that are to fail already; one by default.
    public func failNextStart(
        of child: ChildPath,
        with error: any Error = InjectedFailure(),
        times: Int = 1
    ) {
        state.withLock { state in
            state.startFailures[child, default: []] += Array(repeating: error, count: max(0, times))
        }
    }

    /// Has a child hang when it is told to stop: its body ends as always, but the child does not, until it is
    /// released.
    ///
    /// Cancelling does not help it. What hangs still when the run has ended goes on then.
    public func hangStop(of child: ChildPath) {
        state.withLock { state in
            if !state.isOver, state.heldStops[child] == nil { state.heldStops[child] = Gate() }
        }
    }

    /// Lets a child end whose stop hangs, and hang no more.
    public func release(_ child: ChildPath) {
        state.withLock { $0.heldStops.removeValue(forKey: child) }?.open()
    }

    /// The children whose bodies run now.
    public var running: [ChildPath] {
        state.withLock { Array($0.acts.keys) }.sorted { $0.description < $1.description }
    }

    // MARK: -

    /// What the children of the tree share, as soon as one of them has been started.
    var tree: TreeValues? { state.withLock(\.tree) }

    /// The children that have left a task running.
    var unfinished: [ChildPath] {
        state.withLock { state in
            state.forgetTokens()
            return state.tokens.map(\.path)
        }
    }

    /// The run has ended: nothing hangs any more.
    func end() {
        let gates = state.withLock { state in
            state.isOver = true
            // It holds this.
            state.tree = nil
            defer { state.heldStops = [:] }
            return state.heldStops.values
        }
        for gate in gates { gate.open() }
    }
}

extension Faults: Staging {
    package func perform(
        _ context: ChildContext,
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        let path = context.path
        let act = Act()
        let failure = state.withLock { state -> (any Error)? in
            state.tree = context.tree
            guard state.startFailures[path]?.isEmpty == false else {
                state.acts[path] = act
                state.add(act.token, of: path)
                return nil
            }
            return state.startFailures[path]?.removeFirst()
        }
        if let failure { throw failure }
        defer {
            state.withLock { $0.acts[path] = nil }
        }
        let result = await act.run(body)
        if context.isShutdownRequested, let gate = state.withLock({ $0.heldStops[path] }) {
            await gate.wait()
        }
        if let injected = act.failure { throw injected }
        try result.get()
    }
}

/// One run of a child's body.
private final class Act: Sendable {
    private struct State {
        var task: Task<Void, any Error>?
        var failure: (any Error)?
    }

    let token = Token()
    private let state = Locked(State())

    /// What the test has it throw.
    var failure: (any Error)? { state.withLock(\.failure) }

    func fail(_ error: any Error) {
        let task = state.withLock { state in
            state.failure = error
            return state.task
        }
        task?.cancel()
    }

    func run(_ body: @escaping @Sendable () async throws -> Void) async -> Result<Void, any Error> {
        let task = Token.$current.withValue(token) { Task { try await body() } }
        let isToFail = state.withLock { state in
            state.task = task
            return state.failure != nil
        }
        if isToFail { task.cancel() }
        defer { state.withLock { $0.task = nil } }
        return await withTaskCancellationHandler {
            await task.result
        } onCancel: {
            task.cancel()
        }
    }
}

/// What every task of a child holds for as long as it lives, for tasks inherit what is local to their maker.
private final class Token: Sendable {
    @TaskLocal static var current: Token?

    struct Reference: Sendable {
        weak let token: Token?
        let path: ChildPath

        init(_ token: Token, _ path: ChildPath) {
            self.token = token
            self.path = path
        }
    }
}
