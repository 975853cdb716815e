extension ChildContext {
    /// Runs something that has an orderly stop of its own, not known to Swift's tasks.
    ///
    /// For what other libraries run and what can be run only once, so that each start of the child makes its own:
    ///
    /// ```swift
    /// ChildSpec("services", shutdown: .graceful(.seconds(10))) { child in
    ///     let group = ServiceGroup(services: services, logger: logger)
    ///     child.started()
    ///     try await child.run(stop: { await group.triggerGracefulShutdown() }) {
    ///         try await group.run()
    ///     }
    /// }
    /// ```
    ///
    /// When the child is asked to stop, `stop` is called; it says that the end is wanted and may return before that
    /// has come. The body is cancelled when the time of ``Shutdown/graceful(_:)`` is up. A child with any other
    /// shutdown is cancelled at once, and `stop` is not called.
    ///
    /// - Parameters:
    ///   - stop: Asks for the stop. When it throws the body is cancelled, and the error is that of this call.
    ///   - body: What is to run.
    /// - Throws: What the body throws.
    public func run(
        stop: @escaping @Sendable () async throws -> Void,
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await body()
                return true
            }
            group.addTask { [self] in
                await shutdownRequested()
                if isAsked { try await stop() }
                return false
            }
            // The end of the body is the end, whatever the other one does.
            while let isBody = try await group.next(), !isBody {}
            group.cancelAll()
        }
    }
}

extension ChildSpec {
    /// Describes a child that has an orderly stop of its own, not known to Swift's tasks.
    ///
    /// ```swift
    /// ChildSpec("metrics", stop: { try await server.shutdown() }) {
    ///     try await server.run()
    /// }
    /// ```
    ///
    /// It is asked first, and cancelled when its time is up; see ``ChildContext/run(stop:_:)``, which is also for
    /// what can be run only once. The child counts as started when its body begins to run.
    ///
    /// - Parameters:
    ///   - id: Its name, unique among its siblings and not empty.
    ///   - restart: When it is started again; permanent by default.
    ///   - shutdown: How long the orderly stop may take; by default five seconds, then it is cancelled.
    ///   - stop: Asks for the stop. When it throws the body is cancelled.
    ///   - body: Runs as long as the child lives; again, when the child is started again.
    public init(
        _ id: String,
        restart: Restart = .permanent,
        shutdown: Shutdown = .graceful(.seconds(5)),
        stop: @escaping @Sendable () async throws -> Void,
        body: @escaping @Sendable () async throws -> Void
    ) {
        self.init(id, restart: restart, shutdown: shutdown) { child in
            child.started()
            try await child.run(stop: stop, body)
        }
    }
}
