import SupervisionLock

/// Starts children of one kind whenever somebody asks, each with an argument of its own, and keeps them running.
///
/// For what comes and goes while a service runs: sessions, rooms, devices, downloads. It stands in a tree and
/// begins without children:
///
/// ```swift
/// let rooms = DynamicSupervisor("rooms", restart: .transient) { (child, name: String) in
///     let room = try await Room(named: name)
///     child.started()
///     try await room.run()
/// }
///
/// Supervisor {
///     rooms
///     Listener("chat") { connection in
///         try await rooms.startChild("lobby")
///     }
/// }
/// ```
///
/// Children have no ids to invent; ``startChild(_:)`` gives a ``DynamicChild`` to stop one by. They stand in no
/// order: starts do not wait for one another, and in the end all are told to stop at once and are waited for
/// together. Children that have ended and are not to be started again leave nothing behind. Otherwise the rules
/// are those of a ``Supervisor`` with ``Strategy/oneForOne``.
///
/// When the supervisor itself is started again it begins without children, as at first.
///
/// - Note: Source: OTP `supervisor`, `simple_one_for_one`; Elixir `DynamicSupervisor`. There, a child that is
///   slow to start keeps the others waiting.
public final class DynamicSupervisor<Argument: Sendable>: Child {
    /// The name under which the supervisor stands in a tree.
    public let id: String

    /// How many restarts, of all children together, are put up with.
    public let intensity: RestartIntensity

    /// How many children there may be at once, those that wait for a restart included.
    public let maxChildren: Int

    private let core: DynamicCore
    private let body: @Sendable (ChildContext, Argument) async throws -> Void

    /// Describes a supervisor, and the one kind of its children.
    ///
    /// How the supervisor itself is restarted and stopped by the one above it is said where it stands:
    /// `rooms.restart(.transient)`. By default it is permanent, and stopped without a limit of its own.
    ///
    /// - Parameters:
    ///   - id: Its name among its siblings.
    ///   - intensity: How many restarts, of all children together, are put up with; by default three within
    ///     five seconds. Children with a `backoff` or a `limit` are counted each by itself.
    ///   - maxChildren: How many children there may be at once; by default any number.
    ///   - restart: When one of its children is started again, with the same argument; permanent by default.
    ///   - shutdown: How its children are stopped; by default cancelled, with five seconds to end.
    ///   - backoff: How long to wait before a child is started again; by default not at all.
    ///   - limit: How many restarts each child is allowed before it is given up; by default it has no limit of its
    ///     own.
    ///   - startTimeout: How long each may take to start, on the supervisor's clock, above zero; see
    ///     ``Child/startTimeout(_:)``. By default as long as it likes.
    ///   - body: Runs as long as the child lives, and calls ``ChildContext/started()`` once what must come first
    ///     is done.
    public init(
        _ id: String,
        intensity: RestartIntensity = .default,
        maxChildren: Int = .max,
        restart: Restart = .permanent,
        shutdown: Shutdown = .timeout(.seconds(5)),
        backoff: Backoff? = nil,
        limit: RestartIntensity? = nil,
        startTimeout: Duration? = nil,
        body: @escaping @Sendable (_ child: ChildContext, _ argument: Argument) async throws -> Void
    ) {
        self.id = id
        self.intensity = intensity
        self.maxChildren = maxChildren
        self.body = body
        var rules = ChildRules(restart: restart, shutdown: shutdown)
        if let backoff { rules.backoff = backoff }
        if let limit { rules.limit = limit }
        if let startTimeout { rules.startTimeout = startTimeout }
        core = DynamicCore(rules: rules, intensity: intensity, maxChildren: maxChildren)
    }

    /// The supervisor as a child of another: started at once, and without children.
    public var childSpec: ChildSpec {
        core.childSpec(id)
    }

    /// Starts a child, and returns when it has started.
    ///
    /// Cancelling the calling task ends the wait, not the child. The child's first steps, until it suspends for the
    /// first time, may be taken on the caller's thread: if it blocks there it holds up its caller too.
    ///
    /// - Parameter argument: What the child is given, at each of its starts.
    /// - Returns: The child; nil when it returned before it had started and so has nothing to run.
    /// - Throws: ``SupervisorError``: `childFailedToStart` when it threw, or was terminated, before it had started
    ///   (then it is forgotten, and nothing is counted), `tooManyChildren` when there are ``maxChildren``, those that
    ///   wait for a restart or were abandoned included, `notRunning`. `CancellationError` when the calling task is
    ///   cancelled.
    /// - Note: Source: Elixir `DynamicSupervisor.start_child/2`.
    @discardableResult
    public func startChild(_ argument: Argument) async throws -> DynamicChild? {
        try await core.startChild { [body] child in try await body(child, argument) }
    }

    /// Stops a child and forgets it.
    ///
    /// Returns when it has ended. Several may be stopped at the same time; for one that is no longer there
    /// nothing happens.
    ///
    /// - Parameter child: The child.
    /// - Throws: ``SupervisorError``: `childrenAbandoned` when it still ran when its time was up (the others go
    ///   on), `notRunning`. `CancellationError` when the calling task is cancelled.
    public func terminateChild(_ child: DynamicChild) async throws {
        try await core.terminateChild(child)
    }

    /// How many children there are now.
    ///
    /// - Returns: The numbers; `specs` are all that are there, those that wait for a restart included.
    /// - Throws: ``SupervisorError`` with code `notRunning`; `CancellationError`.
    public func countChildren() async throws -> ChildCount {
        try await core.countChildren()
    }

    /// The children there are now, in the order in which they were first started.
    ///
    /// - Returns: What each is doing.
    /// - Throws: ``SupervisorError`` with code `notRunning`; `CancellationError`.
    public func whichChildren() async throws -> [TreeSnapshot] {
        try await core.whichChildren()
    }
}
