public import Supervision
import Systemd

/// Ends the service when nobody has used it for a while; the next connection starts it again.
///
/// For services that systemd starts by their sockets and that are needed now and then.
///
/// Position: below all listeners. It begins to count when it starts.
///
/// ```swift
/// Supervisor {
///     Listener("http", serving: server)
///     ReadyMarker()
///     Drainer()
///     IdleExit(after: .seconds(300))
/// }
/// ```
///
/// A service is idle when no listener of its tree has a connection open, and no datagram is being answered. When it
/// has been for that long, the tree stops as at SIGTERM, in order, and the process exits with status 0: with
/// `Restart=on-failure` the service stays down until a socket unit starts it. Nothing is lost by that. A
/// connection that was accepted meanwhile is served, one that comes later waits in the backlog of the socket, which
/// the manager looks at as soon as the process has ended. A connection that is kept alive counts as open until the
/// server closes it.
///
/// Each start counts for the unit's limit of starts (`StartLimitBurst=`, five in ten seconds by default), past which the
/// socket unit fails: a time of a few seconds is too short.
///
/// Where one of the listeners serves a socket that no manager passed, nobody would start the service again: then the
/// child does nothing, and the log says so once.
///
/// - Note: Source: `systemd.socket(5)`, activation on demand; `--exit-idle-time` of systemd's own services.
public struct IdleExit: Child {
    private let id: String
    private let time: Duration

    /// Makes the child.
    ///
    /// - Parameters:
    ///   - time: How long nothing must have been served, on the supervisor's clock; above zero.
    ///   - id: Its name among its siblings; `idle-exit` by default.
    public init(after time: Duration, id: String = "idle-exit") {
        self.id = id
        self.time = time
    }

    /// The child as one of a tree: permanent, and cancelled to stop.
    public var childSpec: ChildSpec {
        var spec = ChildSpec(id, shutdown: .immediate) { child in
            child.started()
            if let reason = reasonToStay(child.daemon) {
                child.daemon.log.write(.notice, "\(id): not ending when idle: \(reason)")
            } else {
                try await endWhenIdle(child)
            }
            await child.shutdownRequested()
        }
        spec.check = { [time] tree in
            var problems: [String] = []
            if time <= .zero { problems.append("ends the service after \(time): it must be above zero") }
            if !tree.daemon.listeners.hasDeclared {
                problems.append("ends an idle service, but there is no listener above it")
            }
            return problems
        }
        return spec
    }

    private func reasonToStay(_ daemon: DaemonContext) -> String? {
        daemon.listeners.active([]).first { !$0.isPassed }.map { listener in
            "listener \(listener.name) has a socket of its own, and nobody would start the service again"
        }
    }

    private func endWhenIdle(_ child: ChildContext) async throws {
        let timekeeper = Timekeeper(child.clock)
        let activity = child.daemon.activity
        activity.measure { timekeeper.now }
        while true {
            let since = await activity.idle()
            try await timekeeper.sleep(until: since + time)
            if activity.isIdle(since: since) { break }
        }
        child.daemon.log.write(.info, "\(id): idle for \(time): stopping")
        child.daemon.stop()
    }
}
