// What can be said about any child where it stands in a tree, on top of what it says of itself.

extension Child {
    /// The child under another name.
    ///
    /// For two children of one type in one supervisor.
    ///
    /// - Parameter id: Its name, unique among its siblings and not empty.
    /// - Returns: The child, to stand in a tree.
    public func id(_ id: String) -> ChildSpec {
        with { $0.id = id }
    }

    /// The child, started again by another rule.
    ///
    /// - Parameter restart: When it is started again.
    /// - Returns: The child, to stand in a tree.
    public func restart(_ restart: Restart) -> ChildSpec {
        with { $0.rules.restart = restart }
    }

    /// The child, stopped in another way.
    ///
    /// - Parameter shutdown: How it is stopped.
    /// - Returns: The child, to stand in a tree.
    public func shutdown(_ shutdown: Shutdown) -> ChildSpec {
        with { $0.rules.shutdown = shutdown }
    }

    /// The child, as one whose end can be that of its supervisor.
    ///
    /// The supervisor's ``AutoShutdown`` says when. Not for a permanent child, which never ends for good.
    ///
    /// - Returns: The child, to stand in a tree.
    public func significant() -> ChildSpec {
        with { $0.rules.isSignificant = true }
    }

    /// The child, with a pause before each restart.
    ///
    /// Its restarts are then counted apart from those of its siblings; see ``Backoff``.
    ///
    /// With ``Strategy/oneForAll`` and ``Strategy/restForOne`` the children that are restarted together with it
    /// are stopped at once and wait with it.
    ///
    /// - Parameter backoff: How long to wait.
    /// - Returns: The child, to stand in a tree.
    public func backoff(_ backoff: Backoff) -> ChildSpec {
        with { $0.rules.backoff = backoff }
    }

    /// The child, given up when it has needed too many restarts, while its siblings go on.
    ///
    /// Its restarts are counted apart from those of its siblings, and do not use up what the supervisor's
    /// ``RestartIntensity`` allows. One restart more than the limit is not made:
    /// ``SupervisorEvent/Kind/childGivenUp(child:error:)`` says so, and the child stays down until somebody
    /// calls ``Supervisor/restartChild(_:)``. Under a ``DynamicSupervisor`` it is forgotten.
    ///
    /// - Parameters:
    ///   - maxRestarts: How many restarts are allowed; not negative.
    ///   - period: The sliding window, on the supervisor's clock; above zero.
    /// - Returns: The child, to stand in a tree.
    public func limit(maxRestarts: Int, within period: Duration) -> ChildSpec {
        with { $0.rules.limit = RestartIntensity(maxRestarts: maxRestarts, within: period) }
    }

    /// The child, with a say in what follows from its errors.
    ///
    /// ```swift
    /// ChildSpec("feed") { try await feed.run() }
    ///     .onFailure { error in error is CredentialsRejected ? .giveUpChild : .restart }
    /// ```
    ///
    /// Asked each time the child throws without having been told to stop, also before it has started and whatever
    /// its ``Restart``, before anything is counted. Called by the supervisor between other things: it must not block.
    ///
    /// - Parameter respond: Decides about an error.
    /// - Returns: The child, to stand in a tree.
    public func onFailure(_ respond: @escaping @Sendable (any Error) -> FailureResponse) -> ChildSpec {
        with { $0.rules.onFailure = respond }
    }

    /// The child, with a limit to how long it may take to start.
    ///
    /// One that has not reported within that time that it has started (``ChildContext/started()``), nor ended, is
    /// cancelled, and has the time of its ``Shutdown`` to end, which counts as a failed start like any other: the
    /// first time it fails that of the whole tree, later on the child is restarted by its rules. If it still
    /// runs when that time is up too, nothing can be started in its place: its supervisor stops and names it.
    ///
    /// Without it a start has no limit of the tree's own, and a service manager's applies (`TimeoutStartSec=`). With
    /// it a daemon keeps the manager patient for as long.
    ///
    /// A nested supervisor has started when all its children have: the limit is then for the whole row. Of no effect
    /// on a child that counts as started when it runs.
    ///
    /// - Parameter limit: The time, on the supervisor's clock; above zero.
    /// - Returns: The child, to stand in a tree.
    /// - Note: Source: OTP `gen_server:start_link`, option `timeout`, which kills at once.
    public func startTimeout(_ limit: Duration) -> ChildSpec {
        with { $0.rules.startTimeout = limit }
    }

    private func with(_ change: (inout ChildSpec) -> Void) -> ChildSpec {
        var spec = childSpec
        change(&spec)
        return spec
    }
}
