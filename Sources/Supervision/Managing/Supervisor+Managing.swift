// Changing a supervisor's children while it runs, and asking about them.
//
// One call is served at a time, in the order in which they arrive, each when the supervisor has nothing else to
// do: not while the tree starts, nor while a strategy takes children down and up. Between two attempts to
// restart a child they are served.

extension Supervisor {
    /// Adds a child below the others, and starts it.
    ///
    /// Returns when the child has started. It is stopped before all others then, and belongs to this run of the
    /// supervisor: when the supervisor itself is started again, it begins with the children it was made with.
    ///
    /// A child must not call this on its own supervisor before it has itself started: both would wait for each
    /// other, until one is cancelled.
    ///
    /// Cancelling the calling task ends the wait: a call that has not been begun is not served any more, a child
    /// that is being started goes on with that. Its first steps, until it suspends for the first time, may be taken
    /// on the caller's thread: if it blocks there it holds up its caller too.
    ///
    /// - Parameter child: The child; its id must not be in use.
    /// - Returns: Whether it runs.
    /// - Throws: ``SupervisorError``: `invalidTree` when its spec is wrong, or when the supervisor that it stands for
    ///   runs already, or another child that publishes by its reference; `alreadyStarted` or `alreadyPresent`
    ///   when there is a child of that id that is or will be running or that is down, `childFailedToStart` when it
    ///   threw before it had started (then it is forgotten again, and nothing is counted), `notRunning` when the
    ///   supervisor does not run or ends meanwhile, also because of what ``Child/onFailure(_:)`` says of that error.
    ///   `CancellationError` when the calling task is cancelled.
    /// - Note: Source: OTP `supervisor:start_child/2`.
    @discardableResult
    public func startChild(_ child: some Child) async throws -> StartResult {
        let spec = child.childSpec
        let problems = TreeCheck(adding: spec, to: self).problems
        guard problems.isEmpty else { throw SupervisorError(.invalidTree, details: problems) }
        return StartResult(try await port.ask(.start(spec)))
    }

    /// Stops a child, as its ``ChildSpec/shutdown`` says, and leaves it stopped.
    ///
    /// Returns when the child has ended. It stays in the list and can be started again with
    /// ``restartChild(_:)``; until then no failure of a sibling brings it back. A temporary child is forgotten.
    /// A child that is down already stays down in the same way.
    ///
    /// A child may call this on itself: it is cancelled like any other, and the call with it.
    ///
    /// - Parameter id: The child's id.
    /// - Throws: ``SupervisorError``: `childNotFound`; `childrenAbandoned` when it still ran when its time was up
    ///   (the others go on, and it is not started again while it runs); `notRunning`. `CancellationError` when
    ///   the calling task is cancelled.
    /// - Note: Source: OTP `supervisor:terminate_child/2`; there, a strategy may bring the child back.
    public func terminateChild(_ id: String) async throws {
        _ = try await port.ask(.terminate(.id(id)))
    }

    /// Starts a child that is in the list and does not run.
    ///
    /// Returns when it has started. Nothing is counted, and nothing forgotten: a child that was given up is given up
    /// again when it fails while its earlier restarts are still within the period of its limit.
    ///
    /// - Parameter id: The child's id.
    /// - Returns: Whether it runs.
    /// - Throws: ``SupervisorError``: `childNotFound`, `childRunning`, `childRestarting` when it is being started
    ///   again anyway, `childFailedToStart` (then it stays down), `notRunning`. `CancellationError` when the
    ///   calling task is cancelled.
    /// - Note: Source: OTP `supervisor:restart_child/2`.
    @discardableResult
    public func restartChild(_ id: String) async throws -> StartResult {
        StartResult(try await port.ask(.restart(.id(id))))
    }

    /// Forgets a child that does not run.
    ///
    /// - Parameter id: The child's id.
    /// - Throws: ``SupervisorError``: `childNotFound`, `childRunning`, `childRestarting`, `notRunning`.
    ///   `CancellationError` when the calling task is cancelled.
    /// - Note: Source: OTP `supervisor:delete_child/2`.
    public func deleteChild(_ id: String) async throws {
        _ = try await port.ask(.delete(.id(id)))
    }

    /// The children as they are when it is this call's turn, in their order.
    ///
    /// What stands below them is not looked at; see ``snapshot(limit:)`` for that.
    ///
    /// - Returns: What each is doing.
    /// - Throws: ``SupervisorError`` with code `notRunning`; `CancellationError`.
    /// - Note: Source: OTP `supervisor:which_children/1`.
    public func whichChildren() async throws -> [TreeSnapshot] {
        guard case .snapshots(let children) = try await port.ask(.children) else { return [] }
        return children
    }

    /// One child, as it is when it is this call's turn.
    ///
    /// - Parameter id: The child's id.
    /// - Returns: What it is doing.
    /// - Throws: ``SupervisorError``: `childNotFound`, `notRunning`; `CancellationError`.
    /// - Note: Source: OTP `supervisor:which_child/2`.
    public func whichChild(_ id: String) async throws -> TreeSnapshot {
        guard case .snapshots(let children) = try await port.ask(.find(.id(id))), let child = children.first
        else { throw SupervisorError(.childNotFound, path: [id]) }
        return child
    }

    /// How many children there are when it is this call's turn.
    ///
    /// - Returns: The numbers.
    /// - Throws: ``SupervisorError`` with code `notRunning`; `CancellationError`.
    /// - Note: Source: OTP `supervisor:count_children/1`.
    public func countChildren() async throws -> ChildCount {
        guard case .count(let count) = try await port.ask(.count) else {
            return ChildCount(specs: 0, active: 0, supervisors: 0, workers: 0)
        }
        return count
    }

    /// The spec of one child.
    ///
    /// - Parameter id: The child's id.
    /// - Returns: What the child was described with.
    /// - Throws: ``SupervisorError``: `childNotFound`, `notRunning`; `CancellationError`.
    /// - Note: Source: OTP `supervisor:get_childspec/2`.
    public func childSpec(of id: String) async throws -> ChildSpec {
        guard case .spec(let spec) = try await port.ask(.spec(.id(id))) else {
            throw SupervisorError(.childNotFound, path: [id])
        }
        return spec
    }

    /// What the whole tree below this supervisor is doing.
    ///
    /// Answered at once, also while a child is slow to start or to stop: for looking at a tree that hangs. Each
    /// supervisor answers for itself, one after the other, so that the whole is not of a single moment.
    ///
    /// Where the task that asks is cancelled, supervisors that have not answered by then appear as they were described.
    ///
    /// - Parameter limit: How many children of each supervisor to list at most; a thousand by default, none below 1.
    /// - Returns: The tree; when the supervisor does not run, as it was described.
    public func snapshot(limit: Int = 1_000) async -> TreeSnapshot {
        await look(at: [], limit: max(0, limit))
    }
}

extension StartResult {
    init(_ answer: PendingCall.Answer) {
        if case .ignored = answer { self = .ignored } else { self = .started }
    }
}

extension NestedSupervisor {
    /// A snapshot of what runs here, or a description of what would.
    func look(at path: ChildPath, limit: Int) async -> TreeSnapshot {
        guard case .look(let look) = try? await port.ask(.look(limit: limit)) else {
            return described(at: path, limit: limit)
        }
        var snapshot = look.snapshot
        for (index, nested) in look.nested {
            let child = await nested.look(at: snapshot.children[index].path, limit: limit)
            snapshot.children[index].childCount = child.childCount
            snapshot.children[index].children = child.children
            snapshot.children[index].waitsFor = snapshot.children[index].waitsFor ?? child.waitsFor
        }
        return snapshot
    }

    private func described(at path: ChildPath, limit: Int) -> TreeSnapshot {
        TreeSnapshot(
            path: path,
            kind: kind,
            state: .notStarted,
            since: .zero,
            time: .zero,
            restarts: 0,
            childCount: declaredChildren.count,
            children: declaredChildren.prefix(limit).map { child in
                let childPath = path.appending(child.id)
                return child.nested?.described(at: childPath, limit: limit)
                    ?? TreeSnapshot(
                        path: childPath,
                        kind: .worker,
                        state: .notStarted,
                        since: .zero,
                        time: .zero,
                        restarts: 0,
                        childCount: 0,
                        children: []
                    )
            }
        )
    }
}
