public import Supervision
import Systemd

/// Sets the status line that `systemctl status` shows (`STATUS`), when it starts, when it stops, or both.
///
/// Position is meaning: children stop from bottom to top, so what stands *below* a ``Drainer`` speaks before the
/// drain begins, and what stands *above* it speaks when the drain is over.
///
/// ```swift
/// StatusSetter(onShutdown: "drained")
/// Drainer(shutdown: .seconds(10))
/// StatusSetter(onShutdown: "draining")
/// ```
///
/// A restart within the tree is told to nobody: then the shutdown's text is not sent.
///
/// Texts are made fit for one line, and cut where they are very long. Without a manager the child does nothing.
/// When the daemon ends because something failed, the last status is the reason, whatever was set here.
///
/// - Note: Source: `sd_notify(3)`, `STATUS=`; erlang-systemd, `set_status/1`.
public struct StatusSetter: Child {
    private let id: String
    private let onStart: String?
    private let onShutdown: String?

    /// Makes a setter.
    ///
    /// - Parameters:
    ///   - onStart: The status from when the child starts; nil, the default, to leave it alone.
    ///   - onShutdown: The status from when the child is stopped with the service; nil, the default, to leave it
    ///     alone.
    ///   - id: Its name among its siblings; made from the texts by default.
    public init(onStart: String? = nil, onShutdown: String? = nil, id: String? = nil) {
        self.onStart = onStart
        self.onShutdown = onShutdown
        let texts = [onStart, onShutdown].compactMap(\.self)
        self.id = id ?? "status(\(texts.joined(separator: ", ")))"
    }

    /// The setter as a child: permanent, and asked to stop.
    public var childSpec: ChildSpec {
        ChildSpec(id, shutdown: .graceful(.seconds(1))) { child in
            if let onStart { child.daemon.notifier.send(.status(onStart)) }
            child.started()
            await child.shutdownRequested()
            if let onShutdown, child.daemon.isStopping { child.daemon.notifier.send(.status(onShutdown)) }
        }
    }
}
