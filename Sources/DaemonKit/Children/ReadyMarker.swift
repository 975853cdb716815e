public import Supervision
import Systemd

/// Tells the service manager that the service is ready (`READY=1`).
///
/// Position: below everything that readiness vouches for, above what may follow it. Children start from top to
/// bottom, so the message goes out when all above the marker have started, and nothing below it delays that.
///
/// The message is sent once in the life of the process: a restart within the tree does not send it again. With
/// `Type=notify`, `systemctl start` returns when it has arrived. Without a manager the marker does nothing. In a
/// tree without a marker the message is sent when the whole tree has started.
///
/// - Note: Source: `sd_notify(3)`, `READY=1`; erlang-systemd, `ready()`.
public struct ReadyMarker: Child {
    private let id: String

    /// Makes a marker.
    ///
    /// - Parameter id: Its name among its siblings; `ready` by default.
    public init(id: String = "ready") {
        self.id = id
    }

    /// The marker as a child: permanent, and cancelled to stop.
    public var childSpec: ChildSpec {
        ChildSpec(id, shutdown: .immediate) { child in
            child.daemon.announceReady()
            child.started()
            await child.shutdownRequested()
        }
    }
}
