import Supervision
import Systemd

/// Keeps the manager's watchdog content for as long as the daemon is healthy.
///
/// A ping (`WATCHDOG=1`) goes out when the supervisor at the top has answered, from a task on the cooperative
/// pool: what it proves is that both still work. When either is stuck the pings stop, and the manager replaces
/// the process. The first one follows `READY=1` at once.
struct WatchdogPinger: Sendable {
    let interval: Duration
    let clock: any Clock<Duration>
    let notifier: Notifier

    /// Pings until the task is cancelled, or the supervisor has ended.
    func run(watching supervisor: Supervisor) async {
        while !Task.isCancelled, await supervisor.ping() {
            notifier.send(.watchdog)
            guard (try? await clock.sleep(for: interval)) != nil else { return }
        }
    }
}
