import Supervision
import SupervisionLock
import Systemd

/// One run of a daemon: everything between the snapshot of the environment and the exit status.
///
/// It touches neither the process's environment nor its signals, so that a test can run it.
package final class DaemonRun: Sendable {
    /// How a run ended.
    package struct End: Sendable {
        package var code: ExitCode
        /// What it failed with.
        package var error: (any Error)?

        /// Whether some children still run, so that the process must end without waiting for them.
        package var isAnythingRunning: Bool {
            (error as? SupervisorError).map { !$0.abandoned.isEmpty } ?? false
        }
    }

    /// What to do about a stop that does not come to its end because no task can run.
    package struct WhenStuck: Sendable {
        /// What it is given beyond the limits of the tree.
        let margin: Duration
        /// Ends the process at once.
        let end: @Sendable (ExitCode) -> Void
    }

    private struct State {
        var supervisor: Supervisor?
        var isStopRequested = false
        var hasSentStopping = false
        var pinger: Task<Void, Never>?
        var slowStart: Task<Void, Never>?
        var managerPatience: ManagerPatience?
        var stopGuard: StopGuard?
        var reloader: Reloader?
        var isReloadWanted = false
        var store: DescriptorStore?
    }

    /// How long a start may take before the log says what it waits for.
    static let slowStart = Duration.seconds(10)

    /// How many children of one supervisor are worth a line each.
    private static let mostChildrenShown = 100

    private let environment: ServiceEnvironment
    private let log: DaemonLog
    private let patience: Duration
    private let clock: (any Clock<Duration>)?
    private let staging: (any Staging)?
    private let cutShort: @Sendable (StopSignal) -> Void
    private let whenStuck: WhenStuck?
    private let notifier: Notifier
    private let state = Locked(State())

    /// What was passed to the process.
    package let descriptors: PassedDescriptors

    /// Prepares a run.
    ///
    /// - Parameters:
    ///   - environment: What the manager told the process.
    ///   - log: Where failures are told.
    ///   - patience: How long the manager may take with the last messages.
    ///   - clock: Measures how long the start takes, and everything in a tree that names no clock itself.
    ///   - staging: What runs the bodies of the children: a test's.
    ///   - whenStuck: What to do about a stop for which no task can run; nothing by default, as in a test, which
    ///     could not run either.
    ///   - cutShort: Ends the process at once: a second signal came.
    package init(
        environment: ServiceEnvironment,
        log: DaemonLog,
        patience: Duration = .seconds(1),
        clock: (any Clock<Duration>)? = nil,
        staging: (any Staging)? = nil,
        whenStuck: WhenStuck? = nil,
        cutShort: @escaping @Sendable (StopSignal) -> Void
    ) {
        self.environment = environment
        self.log = log
        self.patience = patience
        self.clock = clock
        self.staging = staging
        self.whenStuck = whenStuck
        self.cutShort = cutShort
        notifier = Notifier(address: environment.notifyAddress)
        descriptors = PassedDescriptors(environment.descriptors)
    }

    /// Takes a signal: the first stops the tree in order, the second cuts that short.
    ///
    /// A signal that comes before the tree is there is not lost: then it starts nothing.
    package func receive(_ signal: StopSignal) {
        let (isFirst, supervisor, stopGuard) = state.withLock { state in
            defer { state.isStopRequested = true }
            return (!state.isStopRequested, state.supervisor, state.stopGuard)
        }
        guard isFirst else {
            log.write(.warning, "\(signal) came while stopping: ending at once", isLast: true)
            log.flushFromThread()
            return cutShort(signal)
        }
        log.write(.info, "\(signal): stopping")
        supervisor?.stop()
        stopGuard?.begin()
    }

    /// Reloads, now or as soon as that can be.
    package func reload() {
        let reloader = state.withLock { state in
            // One that comes before the tree is there is not lost.
            if state.reloader == nil { state.isReloadWanted = true }
            return state.reloader
        }
        reloader?.reload()
    }

    /// Writes down what the whole tree is doing.
    ///
    /// Returns at once. The tree is asked on the cooperative pool: where that is blocked, nothing is written.
    package func look() {
        guard let supervisor = state.withLock(\.supervisor) else {
            return log.write(.info, "SIGUSR1: there is no tree yet")
        }
        Task {
            let snapshot = await supervisor.snapshot(limit: Self.mostChildrenShown)
            log.write(.info, "SIGUSR1: the tree is\n\(snapshot)")
        }
    }

    /// Makes the daemon's tree and runs it to its end.
    package func run(_ daemon: some Daemon) async -> End {
        for problem in environment.problems { log.write(.warning, "\(problem)") }
        do {
            let supervisor = try await daemon.supervisor
            let managerPatience = environment.notifyAddress.map { _ in
                ManagerPatience(notifier: notifier, clock: supervisor.topClock(orElse: clock))
            }
            let stopGuard = stopGuard(of: supervisor)
            // Weakly: the supervisor holds the events' reader, which holds this.
            let context = DaemonContext(
                environment: environment,
                notifier: notifier,
                descriptors: descriptors,
                log: log
            ) { [self, weak supervisor] context in
                if let supervisor { startPinger(watching: supervisor, context) }
                managerPatience?.becameReady()
                state.withLock(\.slowStart)?.cancel()
                state.withLock(\.reloader)?.becameReady()
            } onStop: { [weak supervisor] in
                supervisor?.stop()
                stopGuard?.begin()
            }
            let reloader = Reloader(context.reloads, notifier: notifier, log: log)
            let isReloadWanted = state.withLock { state in
                state.reloader = reloader
                state.managerPatience = managerPatience
                state.stopGuard = stopGuard
                state.store = context.store
                return state.isReloadWanted
            }
            if isReloadWanted { reloader.reload() }
            supervisor.readEvents { [self] event in
                read(event, context)
                stopGuard?.read(event)
            }
            let isStopRequested = state.withLock { state in
                state.supervisor = supervisor
                return state.isStopRequested
            }
            if isStopRequested {
                supervisor.stop()
                stopGuard?.begin()
            }
            watchStart(of: supervisor, context)
            let tree = TreeValues(staging: staging)
            tree.set(context)
            try await supervisor.run(in: tree, on: clock)
            await finish()
            return End(code: .clean)
        } catch {
            log.write(.error, "\(error)", isLast: true)
            tellStopping()
            var last = NotifyMessage.status("\(error)")
            if let number = (error as? any ErrnoCarrying)?.errorNumber { last = last + .errno(number) }
            notifier.send(last)
            await finish()
            return End(code: ExitCode(error), error: error)
        }
    }

    private func read(_ event: SupervisorEvent, _ context: DaemonContext) {
        log.write(event)
        state.withLock(\.managerPatience)?.read(event)
        guard event.supervisor.ids.isEmpty else { return }
        switch event.kind {
        case .started:
            // Where there is a ReadyMarker it has been by now.
            context.announceReady()
            context.removeUnclaimed()
        case .stopping:
            context.beginStopping()
            state.withLock(\.stopGuard)?.begin()
            state.withLock(\.reloader)?.end()
            state.withLock(\.slowStart)?.cancel()
            tellStopping()
            // Afterwards: before, it would be more time for the run of the service.
            state.withLock(\.managerPatience)?.beginStop()
        default:
            break
        }
    }

    /// `STOPPING=1`, once: before the first child is told to stop.
    ///
    /// It cannot be taken back.
    private func tellStopping() {
        let isFirst = state.withLock { state in
            defer { state.hasSentStopping = true }
            return !state.hasSentStopping
        }
        if isFirst { notifier.send(.stopping) }
    }

    /// Tells what a start waits for that takes long, before the manager loses its patience.
    private func watchStart(of supervisor: Supervisor, _ context: DaemonContext) {
        guard environment.notifyAddress != nil else { return }
        let clock: any Clock<Duration> = clock ?? SuspendingClock()
        let timekeeper = Timekeeper(clock)
        let task = Task {
            guard (try? await timekeeper.sleep(until: Self.slowStart)) != nil else { return }
            let snapshot = await supervisor.snapshot(limit: Self.mostChildrenShown)
            guard !Task.isCancelled, !context.isReady else { return }
            let reason = snapshot.deepestWait.map { ": waits for \($0) to start" } ?? ""
            log.write(.warning, "not ready after \(Self.slowStart)\(reason)")
        }
        state.withLock { $0.slowStart = task }
    }

    /// Ends a stop that is stuck, with the status of one that some children have not heeded.
    private func stopGuard(of supervisor: Supervisor) -> StopGuard? {
        guard let whenStuck else { return nil }
        var clock = supervisor.topClock(orElse: clock)
        if clock is SuspendingClock || clock is ContinuousClock { clock = DispatchClock() }
        return StopGuard(supervisor, clock: clock, margin: whenStuck.margin, priority: Task.currentPriority) {
            [self] blame in
            log.write(.error, "\(blame)", isLast: true)
            tellStopping()
            notifier.send(.status("\(blame)"))
            log.flushFromThread()
            whenStuck.end(.childrenAbandoned)
        }
    }

    private func startPinger(watching supervisor: Supervisor, _ context: DaemonContext) {
        guard environment.watchdog != nil else { return }
        let pinger = WatchdogPinger(
            watchdog: context.watchdog,
            checks: context.healthChecks,
            clock: supervisor.topClock(orElse: clock),
            notifier: notifier,
            log: log
        )
        let task = Task { await pinger.run(watching: supervisor) }
        state.withLock { $0.pinger = task }
    }

    private func finish() async {
        // Letting go of the supervisor also lets go of the events' reader, which holds this.
        let (pinger, slowStart, managerPatience, stopGuard, store) = state.withLock { state in
            state.supervisor = nil
            state.reloader = nil
            defer {
                state.managerPatience = nil
                state.stopGuard = nil
                state.store = nil
            }
            return (state.pinger, state.slowStart, state.managerPatience, state.stopGuard, state.store)
        }
        slowStart?.cancel()
        await slowStart?.value
        await managerPatience?.end()
        pinger?.cancel()
        await pinger?.value
        if await !hasToldAll(store) {
            log.write(.warning, "the service manager did not take every message")
        }
        await log.flush()
        // To the very end: what was abandoned may block the pool now.
        await stopGuard?.end()
    }

    /// Waits until the last message has left, and where the next process depends on them, until all are acted upon.
    private func hasToldAll(_ store: DescriptorStore?) async -> Bool {
        guard let store, store.hasChanged else { return await notifier.flush(timeout: patience) }
        return await notifier.barrier(timeout: patience) == .passed
    }
}

extension TreeSnapshot {
    /// The child that the start of the tree waits for: the deepest one, where supervisors are nested.
    fileprivate var deepestWait: ChildPath? {
        guard case .start(let path) = waitsFor else { return nil }
        return children.first { $0.path == path }?.deepestWait ?? path
    }
}
