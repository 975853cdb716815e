/// Starts children in order, keeps them running, and stops them in reverse order.
///
/// ```swift
/// let supervisor = Supervisor(strategy: .oneForOne) {
///     ChildSpec("cache") { try await cache.run() }
///     ChildSpec("feed") { try await feed.run() }
/// }
/// try await supervisor.run()
/// ```
///
/// **Start.** Children start from the first to the last, each only when everything above it has *started*. When
/// one fails to start, those before it are stopped again in reverse order, and ``run()`` throws.
///
/// **Restart.** A child that ends by itself is started again by the rules of its ``ChildSpec/restart`` and of the
/// supervisor's ``Strategy``. A restart that fails is tried again, and counts. When more restarts are needed than
/// the ``RestartIntensity`` allows, the supervisor gives up: it stops its children and throws. To a supervisor
/// further up, that is the failure of a child like any other.
///
/// **Stop.** ``stop()``, the parent, or the cancellation of the task in ``run()`` all mean the same orderly stop:
/// children are told to stop one after the other, from the last to the first, each with the time its
/// ``ChildSpec/shutdown`` gives it. A stop is honoured at once also before the run, during a start and between
/// restarts. A supervisor whose children have all ended goes on, as in OTP, until it is stopped, unless its
/// ``AutoShutdown`` says otherwise.
///
/// **Children that will not stop.** Swift cannot kill a task. A child that still runs when its time is up is
/// reported and abandoned. It is never started again beside itself: a supervisor under which something was
/// abandoned is not restarted; its parent stops too, level by level, up to the one at the top, and
/// ``SupervisorError/abandoned`` tells which children they were. What ends them is the end of the process.
///
/// A supervisor is a task of Swift's cooperative pool like its children, and can act only while one of the pool's
/// threads is free. Children that block all of them, in a system call or on a lock, keep it from stopping and abandoning
/// anybody, and ``run()`` from returning, whatever the limits say. A `Daemon` has a guard outside of the pool which
/// then ends the process; whoever runs a supervisor by itself has to see to that. Work that blocks a thread belongs on a
/// thread or a queue of its own.
///
/// A failure is a thrown error. A trap (an array index out of range, a forced `nil`) ends the process; starting
/// it again is the service manager's business.
///
/// - Note: Source: OTP `supervisor`.
public final class Supervisor: Child {
    /// The name under which the supervisor stands in a tree.
    public let id: String

    /// Which children are started again when one has failed.
    public let strategy: Strategy

    /// How many restarts are put up with.
    public let intensity: RestartIntensity

    /// The children it was made with, in the order in which they start.
    ///
    /// For those that it has now, see ``whichChildren()``.
    public let children: [ChildSpec]

    /// Whether it ends by itself when its significant children have ended.
    public let autoShutdown: AutoShutdown

    let eventHub = EventHub()
    let port = ControlPort()

    private let restart: Restart
    private let shutdown: Shutdown
    private let clock: (any Clock<Duration>)?

    /// Describes a supervisor.
    ///
    /// Nothing runs until ``run()``, or until the supervisor it is nested in starts it.
    ///
    /// - Parameters:
    ///   - id: Its name among its siblings, where it is nested; `supervisor` by default.
    ///   - strategy: Which children are started again when one has failed; one for one by default.
    ///   - intensity: How many restarts are put up with; by default three within five seconds.
    ///   - autoShutdown: Whether it ends by itself when its significant children have ended; by default never.
    ///   - clock: What all times in the tree are measured on. By default the parent's, and at the top a
    ///     `SuspendingClock`, which stands still while the machine sleeps (`CLOCK_MONOTONIC` on Linux).
    ///   - restart: When its parent starts it again, where it is nested; permanent by default.
    ///   - shutdown: How its parent stops it, where it is nested. Without limit by default, and best left so:
    ///     its children have limits of their own.
    ///   - children: The children, in the order in which they are to start. Evaluated here, once.
    public init(
        _ id: String = "supervisor",
        strategy: Strategy = .oneForOne,
        intensity: RestartIntensity = .default,
        autoShutdown: AutoShutdown = .never,
        clock: (any Clock<Duration>)? = nil,
        restart: Restart = .permanent,
        shutdown: Shutdown = .infinity,
        @ChildBuilder children: () throws -> [ChildSpec]
    ) rethrows {
        self.id = id
        self.strategy = strategy
        self.intensity = intensity
        self.autoShutdown = autoShutdown
        self.clock = clock
        self.restart = restart
        self.shutdown = shutdown
        self.children = try children()
    }

    /// The supervisor as a child of another: started when all its children have started.
    public var childSpec: ChildSpec {
        ChildSpec(
            id: id,
            rules: ChildRules(restart: restart, shutdown: shutdown),
            startsAtOnce: false,
            nested: self,
            body: { [self] context in
                eventHub.attach(to: context.place.eventHub)
                try await run(
                    at: context.path,
                    position: context.position,
                    in: context.tree,
                    on: clock.map { Timekeeper($0) } ?? context.place.timekeeper,
                    onAllStarted: { context.started() }
                )
            }
        )
    }

    /// Runs the tree until it is stopped.
    ///
    /// Returns when the supervisor was asked to stop, or its ``AutoShutdown`` has it end, and every child has ended.
    /// Cancelling the task is such a request: the children are still stopped in order, with all the time their specs
    /// give them, and no `CancellationError` is thrown. It does not return while a child runs, unless that child has
    /// been reported as abandoned.
    ///
    /// Children inherit the task-local values and the priority of the calling task.
    ///
    /// - Throws: ``SupervisorError``. Before anything is started: with code `invalidTree` when a spec is wrong
    ///   anywhere in the tree, with `alreadyRunning` when this supervisor runs already. Afterwards, always with
    ///   every child stopped or abandoned: `childFailedToStart`, `gaveUp` or `childrenAbandoned`.
    public func run() async throws {
        try await run(in: TreeValues())
    }

    /// Runs the tree with something for its children to share.
    ///
    /// - Parameters:
    ///   - tree: What they share.
    ///   - clock: What times are measured on, unless the supervisor names a clock itself.
    /// - Throws: As ``run()``.
    package func run(in tree: TreeValues, on clock: (any Clock<Duration>)? = nil) async throws {
        let problems = TreeCheck(self, tree: tree).problems
        guard problems.isEmpty else {
            let error = SupervisorError(.invalidTree, details: problems)
            // Nobody is to wait for a child that is never started.
            retireReferences(at: [], because: error)
            finishEvents()
            throw error
        }
        try await run(
            at: [],
            position: [],
            in: tree,
            on: Timekeeper(topClock(orElse: clock)),
            onAllStarted: {}
        )
    }

    /// What times are measured on where the supervisor stands at the top.
    ///
    /// - Parameter other: The clock of the run, for a supervisor that names none itself.
    /// - Returns: The clock.
    package func topClock(orElse other: (any Clock<Duration>)?) -> any Clock<Duration> {
        clock ?? other ?? SuspendingClock()
    }

    /// Asks the supervisor to stop, and returns at once.
    ///
    /// ``run()`` returns when the children have been stopped. A supervisor that does not run yet will end its
    /// next run at once, without starting anything; one that is stopping already goes on with that.
    public func stop() {
        port.stop()
    }

    /// What happens in this supervisor and in those nested in it, from now on.
    ///
    /// Ask before ``run()`` to see everything. The sequence ends with the run of the supervisor at the top, and where
    /// that cannot begin because the tree is not valid. Any number of readers may read; each has all the events.
    ///
    /// - Parameter bufferingPolicy: What to do for a reader that does not keep up. By default everything is
    ///   kept for it, without limit.
    /// - Returns: The events, in order.
    public func events(
        bufferingPolicy: AsyncStream<SupervisorEvent>.Continuation.BufferingPolicy = .unbounded
    ) -> AsyncStream<SupervisorEvent> {
        eventHub.stream(bufferingPolicy: bufferingPolicy)
    }

    /// Calls `reader` with each event before the supervisor acts on it.
    ///
    /// For what must come first: the manager hears of a stop before any child does.
    package func readEvents(_ reader: @escaping @Sendable (SupervisorEvent) -> Void) {
        eventHub.read(reader)
    }

    /// Waits until the supervisor has dealt with everything that reached it before this.
    ///
    /// - Returns: Whether it answered; false when it does not run.
    package func ping() async -> Bool {
        await port.ping()
    }

    private func run(
        at path: ChildPath,
        position: [Int],
        in tree: TreeValues,
        on timekeeper: Timekeeper,
        onAllStarted: @escaping @Sendable () -> Void
    ) async throws {
        let inbox = try port.open(at: path)
        defer {
            port.close()
            if path.ids.isEmpty { eventHub.finish() }
        }
        let machine = SupervisorMachine(
            strategy: strategy,
            intensity: intensity,
            autoShutdown: autoShutdown,
            children: children.lazy.map { ($0.id, $0.rules) },
            seed: .random(in: 0...UInt64.max)
        )
        let place = SupervisorPlace(
            path: path,
            position: position,
            kind: kind,
            intensity: intensity,
            tree: tree,
            timekeeper: timekeeper,
            eventHub: eventHub,
            inbox: inbox,
            onAllStarted: onAllStarted
        )
        let loop = SupervisorLoop(SupervisorRun(machine, at: place, children: children))
        try await withTaskCancellationHandler {
            try await loop.perform()
        } onCancel: {
            inbox.send(.stop)
        }
    }
}

extension Supervisor: NestedSupervisor {
    var kind: TreeSnapshot.Kind { .supervisor(strategy) }

    var declaredChildren: [ChildSpec] { children }

    // Looked at together with its children.
    var problems: [String] { [] }
}
