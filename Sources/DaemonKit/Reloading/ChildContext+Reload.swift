public import Supervision

/// Does again what a child does for a reload.
typealias ReloadHandler = @Sendable () async throws -> Void

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
    /// called. Nothing limits how long a handler takes: one that does not return holds up those after it and all later
    /// reloads, until the service stops.
    ///
    /// A handler is kept as long as this copy of the child lives. It runs beside the body, and goes on where the copy
    /// ends meanwhile. It is cancelled when the daemon begins to stop, and those whose turn has not come by then are not
    /// called. A copy that takes the place of one that was called in the same reload is not called again.
    ///
    /// - Parameter reload: What is to be done.
    public func onReload(_ reload: @escaping @Sendable () async throws -> Void) {
        daemon.reloads.add(reload, of: self)
    }
}
