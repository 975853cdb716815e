import Supervision
import Systemd

/// Keeps the manager's watchdog content for as long as the daemon is healthy.
///
/// A sign of life (`WATCHDOG=1`) goes out when the supervisor at the top has answered and every health check of the
/// tree is well, from a task on the cooperative pool: what it proves is that all of these work. When one is stuck
/// the signs stop, and the manager replaces the process. The first one follows `READY=1` at once.
struct WatchdogPinger: Sendable {
    let watchdog: Watchdog
    let checks: HandlerRegistry<HealthProbe>
    let clock: any Clock<Duration>
    let notifier: Notifier
    let log: DaemonLog

    /// Gives signs of life until the task is cancelled, or the supervisor has ended.
    func run(watching supervisor: Supervisor) async {
        var isWell = true
        while let rhythm = watchdog.rhythm, !Task.isCancelled, await supervisor.ping() {
            if !watchdog.isPaused {
                // So that signs of life are never further apart than three quarters of the time-out.
                let problems = await HealthRound(checks.inTreeOrder).problems(
                    within: rhythm.interval / 2,
                    on: clock
                )
                guard !Task.isCancelled else { return }
                tell(problems, wasWell: isWell)
                isWell = problems.isEmpty
                if isWell { notifier.send(.watchdog) }
            }
            guard await watchdog.nap(in: rhythm, on: clock) else { return }
        }
    }

    /// Writes down what is new.
    private func tell(_ problems: [String], wasWell: Bool) {
        for problem in problems { log.write(.error, "no sign of life for the manager: \(problem)") }
        if problems.isEmpty, !wasWell {
            log.write(.notice, "all well again: the manager has its sign of life")
        }
    }
}
