extension ChildSpec {
    /// Describes a child that has an orderly stop of its own, not known to Swift's tasks.
    ///
    /// For what other libraries run: a service group, a server with a `shutdown()`.
    ///
    /// ```swift
    /// ChildSpec("metrics", stop: { await group.triggerGracefulShutdown() }) {
    ///     try await group.run()
    /// }
    /// ```
    ///
    /// When the child is to stop, `stop` is called; it says that the end is wanted and may return before that
    /// has come. The body is cancelled only when the time of `shutdown` is up. A `stop` that throws has the body
    /// cancelled at once, and its error is that of the child. With a shutdown that is not ``Shutdown/graceful(_:)``
    /// the body is cancelled at once, and `stop` is not called.
    ///
    /// The child counts as started when its body begins to run. Once told to stop it is not started again.
    ///
    /// - Parameters:
    ///   - id: Its name, unique among its siblings and not empty.
    ///   - restart: When it is started again; permanent by default.
    ///   - shutdown: How long the orderly stop may take; by default five seconds, then it is cancelled.
    ///   - stop: Asks for the stop.
    ///   - body: Runs as long as the child lives.
    public init(
        _ id: String,
        restart: Restart = .permanent,
        shutdown: Shutdown = .graceful(.seconds(5)),
        stop: @escaping @Sendable () async throws -> Void,
        body: @escaping @Sendable () async throws -> Void
    ) {
        self.init(id, restart: restart, shutdown: shutdown) { child in
            child.started()
            try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    try await body()
                    return true
                }
                group.addTask {
                    await child.shutdownRequested()
                    if child.isAsked { try await stop() }
                    return false
                }
                // The end of the body is the end of the child, whatever the other one does.
                while let isBody = try await group.next(), !isBody {}
                group.cancelAll()
            }
        }
    }
}
