public import Supervision
import Systemd

/// Lets the listeners finish what they have begun, when the tree stops.
///
/// Position: below the listeners. Children stop from bottom to top, so the drainer's stop comes first, and
/// everything that a request needs, standing above, is still there. One that stands above every listener drains none,
/// and the log says so at the start.
///
/// When it is told to stop it asks all its listeners to stop accepting, then waits until no connection is left.
/// Handlers finish what they have in hand; a connection that is idle ends where its handler sees to it
/// (``Connection/onDrain(_:)``), else when it is cut. When its time is up it cuts the connections that
/// are left, and tells how many. A listener on a socket that was passed leaves new connections in the socket's
/// backlog for the next process; one on a socket it bound itself answers what is in its backlog first.
///
/// Where the tree is stopped before the drainer has started, each listener drains in its own stop, for as long as its
/// own shutdown allows.
///
/// A restart within the tree drains nothing: the listeners that stand outside of it go on, and those that are restarted
/// too drain in their own stop.
///
/// A ``Daemon`` keeps the manager patient meanwhile (`EXTEND_TIMEOUT_USEC`), so that a drain may last longer than
/// `TimeoutStopSec=`.
///
/// - Note: Source: `Plug.Cowboy.Drainer`, which neither ends kept-alive connections nor cuts those that are left.
public struct Drainer: Child {
    private let id: String
    private let names: [String]
    private let limit: Duration

    /// Makes a drainer.
    ///
    /// - Parameters:
    ///   - names: The names of the listeners to drain; none for all of the tree.
    ///   - shutdown: How long a drain may take, on the supervisor's clock; not negative; five seconds by default.
    ///   - id: Its name among its siblings; `drainer` by default.
    public init(_ names: String..., shutdown: Duration = .seconds(5), id: String = "drainer") {
        self.id = id
        self.names = names
        self.limit = shutdown
    }

    /// The drainer as a child: permanent, and asked to stop.
    public var childSpec: ChildSpec {
        var spec = ChildSpec(id, shutdown: .graceful(limit)) { child in
            // One that is cancelled before it has started has no time to give.
            guard child.reportStart() else { return }
            await child.shutdownRequested()
            // A listener that is drained never accepts again, and after a restart the service goes on.
            guard child.tree.isStopping else { return }
            await drain(child.daemon)
        }
        spec.check = { [id, names] tree in
            if names.isEmpty { tree.daemon.listeners.declareDrainer(id) }
            return names.filter { !tree.daemon.listeners.isDeclared($0) }.map { name in
                "drains a listener \"\(name)\", but there is none of that name above it"
            }
        }
        return spec
    }

    private func drain(_ daemon: DaemonContext) async {
        let listeners = daemon.listeners.active(names)
        // All of them stop accepting before any is waited for.
        for listener in listeners { listener.session.beginDrain() }
        await withTaskCancellationHandler {
            for listener in listeners { try? await listener.waitUntilEnded() }
        } onCancel: {
            for listener in listeners { cut(listener, daemon.log) }
        }
    }

    private func cut(_ listener: ActiveListener, _ log: DaemonLog) {
        let count = listener.session.connectionCount
        if count > 0 {
            log.write(
                .warning,
                "\(id): time is up after \(limit), cutting \(count) \(listener.session.unit) of \(listener.name)"
            )
        }
        listener.cut()
    }
}
