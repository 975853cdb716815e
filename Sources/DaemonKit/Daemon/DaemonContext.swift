public import Supervision
import SupervisionLock
public import Systemd

/// What the children of a daemon share: the service manager, the sockets it passed, and the listeners.
///
/// A child reaches it through its context:
///
/// ```swift
/// ChildSpec("warm-up") { child in
///     child.daemon.notifier.send(.status("filling the cache"))
///     try await fillCache()
/// }
/// ```
///
/// In a tree that runs without a ``Daemon`` there is one too, without a manager and without sockets.
public final class DaemonContext: Sendable {
    /// What the manager told the process when it started.
    public let environment: ServiceEnvironment

    /// Tells the manager things.
    ///
    /// Messages of all children go out in the order in which they were sent.
    public let notifier: Notifier

    /// The sockets that the manager passed.
    public let descriptors: PassedDescriptors

    /// What the manager keeps for the next process of this service: state, connections.
    ///
    /// Take back what is yours before the tree has started: what nobody has taken by then is removed.
    public let store: DescriptorStore

    /// The manager's watchdog.
    public let watchdog: Watchdog

    /// What the manager has been told of, or is about to be.
    private struct Standing {
        var isReady = false
        var isStopping = false
    }

    let listeners: ListenerRegistry
    let activity = Activity()
    let keptSockets: KeptSockets
    let reloads = HandlerRegistry<ReloadHandler>()
    let healthChecks = HandlerRegistry<HealthProbe>()
    let log: DaemonLog

    private let standing = Locked(Standing())
    private let onReady: @Sendable (DaemonContext) -> Void
    private let onStop: @Sendable () -> Void

    init(
        environment: ServiceEnvironment,
        notifier: Notifier,
        descriptors: PassedDescriptors? = nil,
        log: DaemonLog,
        onReady: @escaping @Sendable (DaemonContext) -> Void = { _ in },
        onStop: @escaping @Sendable () -> Void = {}
    ) {
        self.environment = environment
        self.notifier = notifier
        self.log = log
        self.onReady = onReady
        self.onStop = onStop
        listeners = ListenerRegistry(log: log)
        watchdog = Watchdog(environment.watchdog, notifier: notifier)
        self.descriptors = descriptors ?? PassedDescriptors(environment.descriptors)
        store = DescriptorStore(environment: environment, notifier: notifier, passed: self.descriptors)
        keptSockets = KeptSockets(store: store, notifier: notifier, log: log)
    }

    /// Whether the service stops: not a restart within the tree, of which the manager need not know.
    var isStopping: Bool { standing.withLock(\.isStopping) }

    /// Whether the manager has been told that the service is ready.
    var isReady: Bool { standing.withLock(\.isReady) }

    /// Notes that the tree begins to stop for good.
    func beginStopping() {
        standing.withLock { $0.isStopping = true }
    }

    /// Asks the whole service to stop, as SIGTERM does: in order, and with exit status 0.
    ///
    /// Returns at once; a child that calls it is told to stop in its turn. More than once does nothing. In a tree that
    /// runs without a ``Daemon`` it does nothing either.
    public func stop() {
        onStop()
    }

    /// Where the listeners of a name listen now, the port that the kernel chose included.
    ///
    /// - Parameter listener: The name of a `Listener` or a `DatagramListener`.
    /// - Returns: The addresses; none where it is not being served at this moment.
    public func addresses(of listener: String) -> [SocketAddress] {
        listeners.active([listener]).flatMap(\.addresses)
    }

    /// Tells the manager that the service is ready (`READY=1`), once: a second call does nothing.
    ///
    /// There is no way back from it, and a restart within the tree is not a new start of the service. One that stops
    /// does not become ready any more: then it does nothing either.
    ///
    /// - Returns: What became of the message; nil where it had been sent before, and where the service stops.
    @discardableResult
    public func announceReady() -> NotifyOutcome? {
        // Sent under the lock, so that it does not follow STOPPING=1.
        let outcome: NotifyOutcome? = standing.withLock { standing in
            guard !standing.isReady, !standing.isStopping else { return nil }
            standing.isReady = true
            return notifier.send(.ready)
        }
        if outcome != nil { onReady(self) }
        return outcome
    }
}

extension ChildContext {
    /// What the children of the daemon share.
    public var daemon: DaemonContext {
        tree.daemon
    }
}

extension TreeValues {
    /// What the children of the daemon share.
    package var daemon: DaemonContext {
        value(DaemonContext.self) {
            DaemonContext(
                environment: ServiceEnvironment(variables: [:]),
                notifier: Notifier(address: nil),
                log: DaemonLog()
            )
        }
    }
}
