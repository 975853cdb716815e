/// Runs pieces of work that end by themselves, and whose results somebody waits for.
///
/// What a request starts on the side must not be lost when the service stops, and must not harm it when it fails.
/// A task supervisor stands in the tree where such work belongs, most often above the listener:
///
/// ```swift
/// let tasks = TaskSupervisor()
///
/// Supervisor {
///     tasks
///     Listener("http") { connection in
///         let page = try await tasks.run { try await render(connection) }
///         try await connection.write(page)
///     }
/// }
/// ```
///
/// The work is a temporary child: it is never started again. When it throws, whoever waits for it gets the error,
/// and nobody else is touched: neither the rest of the tree nor other work. When the supervisor stops, all work
/// is cancelled at once and waited for.
///
/// - Note: Source: Elixir `Task.Supervisor`.
public final class TaskSupervisor: Child {
    /// The name under which the supervisor stands in a tree.
    public let id: String

    private let core: DynamicCore

    /// Describes a supervisor, without work as yet.
    ///
    /// - Parameters:
    ///   - id: Its name among its siblings; `tasks` by default.
    ///   - maxTasks: How much may run at once; by default any number. More is refused, not queued.
    ///   - shutdown: How work is stopped, when it is cancelled or the supervisor stops; by default cancelled, with
    ///     five seconds to end.
    public init(
        _ id: String = "tasks",
        maxTasks: Int = .max,
        shutdown: Shutdown = .timeout(.seconds(5))
    ) {
        self.id = id
        core = DynamicCore(
            rules: ChildRules(restart: .temporary, shutdown: shutdown),
            intensity: .default,
            maxChildren: maxTasks
        )
    }

    /// The supervisor as a child: started at once, and without work.
    public var childSpec: ChildSpec {
        core.childSpec(id)
    }

    /// Runs a piece of work, and waits for its result.
    ///
    /// Cancelling the calling task cancels the work; the call returns when that has ended.
    ///
    /// - Parameter work: What is to be done.
    /// - Returns: What it returned.
    /// - Throws: What it threw. ``SupervisorError``: `tooManyChildren` or `notRunning` when it was not started,
    ///   `childGone` when it was cancelled and did not end in time.
    public func run<Value: Sendable>(
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let task = SupervisedTask<Value>(core)
        return try await withTaskCancellationHandler {
            try await task.start(work)
            return try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Starts a piece of work, without waiting for its result.
    ///
    /// - Parameter work: What is to be done.
    /// - Returns: The work, to wait for or to cancel; it may also be let go of.
    /// - Throws: ``SupervisorError``: `tooManyChildren` or `notRunning`.
    @discardableResult
    public func start<Value: Sendable>(
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> SupervisedTask<Value> {
        let task = SupervisedTask<Value>(core)
        try await task.start(work)
        return task
    }

    /// Does something with every element of a sequence, so many at a time.
    ///
    /// ```swift
    /// for await result in tasks.map(urls, maxConcurrent: 8, { try await fetch($0) }) {
    ///     switch result {
    ///     case .success(let page): index(page)
    ///     case .failure(let error): report(error)
    ///     }
    /// }
    /// ```
    ///
    /// A failure is the result of its element and harms no other. To end everything at the first one, say so:
    /// `try result.get()`. Leaving the loop cancels what is still running.
    ///
    /// Work is begun as results are taken: no more than `maxConcurrent` elements are in work, or done and not yet
    /// taken.
    ///
    /// - Parameters:
    ///   - items: The elements; taken one by one as they are needed.
    ///   - maxConcurrent: How many at a time; less than 1 counts as 1.
    ///   - ordered: Whether results come in the order of the elements, as they do by default, or as they are ready.
    ///   - transform: What is to be done with an element.
    /// - Returns: The results. An element whose work could not be started has a ``SupervisorError`` for a result.
    public func map<Items: Sequence, Output: Sendable>(
        _ items: Items,
        maxConcurrent: Int,
        ordered: Bool = true,
        _ transform: @escaping @Sendable (Items.Element) async throws -> Output
    ) -> SupervisedMap<Items, Output> where Items.Element: Sendable {
        SupervisedMap(
            items: items,
            maxConcurrent: max(maxConcurrent, 1),
            isOrdered: ordered,
            core: core,
            transform: transform
        )
    }

    /// How much work there is now.
    ///
    /// - Returns: The number of pieces that have not ended.
    /// - Throws: ``SupervisorError`` with code `notRunning`; `CancellationError`.
    public func countTasks() async throws -> Int {
        try await core.countChildren().specs
    }
}
