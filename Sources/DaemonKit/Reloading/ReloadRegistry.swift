import Supervision
import SupervisionLock

/// What the children of a daemon want done at a reload.
final class ReloadRegistry: Sendable {
    struct Handler: Sendable {
        let path: ChildPath
        let position: [Int]
        let reload: @Sendable () async throws -> Void
    }

    private struct State {
        var handlers: [Int: Handler] = [:]
        var next = 0
    }

    private let state = Locked(State())

    /// Keeps a handler for as long as this copy of the child lives.
    func add(_ handler: Handler, of child: ChildContext) {
        let number = state.withLock { state in
            defer { state.next += 1 }
            state.handlers[state.next] = handler
            return state.next
        }
        child.onEnd { [weak self] in
            self?.state.withLock { _ = $0.handlers.removeValue(forKey: number) }
        }
    }

    /// The handlers there are now, in the order in which their children stand in the tree.
    var inTreeOrder: [Handler] {
        state.withLock(\.handlers)
            .sorted { first, second in
                if first.value.position == second.value.position { return first.key < second.key }
                return first.value.position.lexicographicallyPrecedes(second.value.position)
            }
            .map(\.value)
    }
}

extension ChildContext {
    /// Has something done each time the daemon reloads: SIGHUP, or `systemctl reload`.
    ///
    /// For what can change without a restart: certificates, credentials, a configuration.
    ///
    /// ```swift
    /// ChildSpec("web") { child in
    ///     let certificates = try Certificates(child.daemon.environment)
    ///     child.onReload { try await certificates.readAgain() }
    ///     child.started()
    ///     try await serve(certificates)
    /// }
    /// ```
    ///
    /// The handlers of all children are called one after the other, in the order in which the children stand in
    /// the tree. One that throws fails the reload, is named in the status, and does not keep the others from being
    /// called. A handler lives as long as this copy of the child. It is cancelled when the daemon begins to stop.
    ///
    /// - Parameter reload: What is to be done.
    public func onReload(_ reload: @escaping @Sendable () async throws -> Void) {
        let handler = ReloadRegistry.Handler(path: path, position: position, reload: reload)
        daemon.reloads.add(handler, of: self)
    }
}
