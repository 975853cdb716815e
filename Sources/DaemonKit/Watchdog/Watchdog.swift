import Supervision
import SupervisionLock
import Systemd

/// The manager's watchdog, as the children of a daemon reach it: ``DaemonContext/watchdog``.
///
/// Signs of life are sent by themselves, and need nothing from here. What is here is for the exceptions: a
/// child that knows that the process is lost, a phase in which no sign can be given, another time-out.
///
/// Where the manager expects no signs of life (no `WatchdogSec=`), everything but ``trigger()`` does nothing.
///
/// - Note: Source: `sd_notify(3)`, `WATCHDOG=1`, `WATCHDOG=trigger`, `WATCHDOG_USEC`.
public final class Watchdog: Sendable {
    private struct State {
        var settings: WatchdogSettings?
        var isPaused = false
        /// How often something has changed that the pinger must not sleep through.
        var news = 0
        /// What the pinger sleeps in; cancelled when there is news for it.
        var nap: Task<Void, Never>?
    }

    private let notifier: Notifier
    private let state: Locked<State>

    init(_ settings: WatchdogSettings?, notifier: Notifier) {
        self.notifier = notifier
        state = Locked(State(settings: settings))
    }

    /// How long the manager waits for a sign of life, on its monotonic clock; nil where it expects none.
    public var timeout: Duration? {
        state.withLock { $0.settings?.timeout }
    }

    /// Gives a sign of life now, whatever the health checks say.
    public func ping() {
        guard timeout != nil else { return }
        notifier.send(.watchdog)
    }

    /// Has the manager do at once what it does when signs of life stay away.
    ///
    /// Works without `WatchdogSec=` too. The manager ends the process as it would a hung one (`SIGABRT`, by default
    /// with a core dump) and starts another, as `Restart=` says.
    public func trigger() {
        notifier.send(.watchdogTrigger)
    }

    /// Gives no signs of life by itself until ``resume()``.
    ///
    /// Whoever pauses it must ``ping()`` in time, or wants the manager to act.
    public func pause() {
        state.withLock { $0.isPaused = true }
    }

    /// Gives signs of life by itself again, the first one at once.
    public func resume() {
        let nap = state.withLock { state in
            state.isPaused = false
            state.news += 1
            return state.nap
        }
        nap?.cancel()
    }

    /// Has the manager wait longer, or less long, for signs of life from now on (`WATCHDOG_USEC`).
    ///
    /// - Parameter timeout: How long, on the manager's monotonic clock; above zero, anything else does nothing.
    public func setTimeout(_ timeout: Duration) {
        guard timeout > .zero, self.timeout != nil else { return }
        let nap = state.withLock { state in
            state.settings = WatchdogSettings(timeout: timeout)
            state.news += 1
            // Here, so that of two that are set at once the manager hears last what is so in the end.
            notifier.send(.watchdogTimeout(timeout))
            return state.nap
        }
        nap?.cancel()
    }

    var isPaused: Bool { state.withLock(\.isPaused) }

    /// How often to give a sign of life, and how much news there was when that was so.
    struct Rhythm {
        let interval: Duration
        fileprivate let news: Int
    }

    /// How often to give a sign of life; nil for not at all.
    var rhythm: Rhythm? {
        state.withLock { state in
            state.settings.map { Rhythm(interval: $0.pingInterval, news: state.news) }
        }
    }

    /// Sleeps until the next sign of life is due, or until there is news; not at all where some has come since.
    ///
    /// - Returns: Whether to go on; false when the calling task is cancelled.
    func nap(in rhythm: Rhythm, on clock: any Clock<Duration>) async -> Bool {
        let nap: Task<Void, Never>? = state.withLock { state in
            guard state.news == rhythm.news else { return nil }
            let nap = Task { _ = try? await clock.sleep(for: rhythm.interval) }
            state.nap = nap
            return nap
        }
        guard let nap else { return !Task.isCancelled }
        await withTaskCancellationHandler {
            await nap.value
        } onCancel: {
            nap.cancel()
        }
        return !Task.isCancelled
    }
}
