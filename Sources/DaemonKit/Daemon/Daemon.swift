import CSupervision
import Dispatch
public import Supervision
import Systemd

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A program that is a supervision tree, and a service of systemd where it is started as one.
///
/// ```swift
/// @main
/// struct Hello: Daemon {
///     var supervisor: Supervisor {
///         Supervisor(strategy: .oneForOne) {
///             Listener("http", fallback: .port(4000)) { connection in
///                 try await connection.write(Array("Hello World!\n".utf8))
///             }
///             ReadyMarker()
///             StatusSetter(onShutdown: "drained")
///             Drainer(shutdown: .seconds(10))
///             StatusSetter(onShutdown: "draining")
///         }
///     }
/// }
/// ```
///
/// Nothing has to be wired. What the manager is told follows from the tree:
///
/// - Before anything else the environment is read, once: passed sockets are made close-on-exec, and the manager's
///   variables are taken out of the environment, so that programs started from here inherit neither.
/// - `READY=1` is sent by the ``ReadyMarker``; without one, when the whole tree has started.
/// - `WATCHDOG=1` is sent at half of what `WatchdogSec=` says, from then on, as long as the cooperative pool and
///   the supervisor at the top answer.
/// - SIGTERM and SIGINT stop the tree in order. `STOPPING=1` goes out before any child is told to stop. A second
///   signal ends the process at once. SIGPIPE is ignored.
/// - A stop comes to its end also when children block every thread of the cooperative pool, so that no supervisor
///   can act: five seconds after the limit at which one should have, the process ends with
///   ``ExitCode/childrenAbandoned``, and the log says who was being stopped and who had yet to be told.
/// - SIGHUP reloads: what the children have given to `ChildContext.onReload(_:)` is done, in the order of the tree,
///   and the manager hears of the begin and the end (`RELOADING=1`, `READY=1`), as `Type=notify-reload` wants it. One
///   that comes before the service is ready, or during a reload, is done afterwards.
/// - SIGUSR1 has the tree written to standard error: what each child is doing and since when, how often it was
///   restarted, its last error, and what a start or a stop waits for (`Supervisor.snapshot(limit:)`).
/// - The process ends with an ``ExitCode``. Unless that is 0, the last status (`STATUS`, and `ERRNO` where there
///   is one) says which child it was and why.
///
/// Without a manager all of that does nothing, and the program runs the same. Failures, restarts and the reason of
/// the end are written to standard error.
public protocol Daemon: Sendable {
    /// Makes the daemon, after the environment has been read and before anything is started.
    init()

    /// The tree. Read once for each run.
    ///
    /// May be asynchronous, and may throw: then nothing is started, and the process ends with
    /// ``ExitCode/configuration``.
    var supervisor: Supervisor { get async throws }
}

extension Daemon {
    /// Runs the daemon as this process.
    ///
    /// Does not return.
    ///
    /// What `@main` calls. A program that parses arguments first calls ``launch()`` on the value it has made.
    public static func main() {
        _ = ServiceEnvironment.take()
        Self().launch()
    }

    /// Runs this daemon as this process, and ends the process when it has ended.
    ///
    /// To be called on the main thread, before any other thread or task has been started: it changes the
    /// process's environment, which other threads may be reading.
    public func launch() -> Never {
        launch(stopMargin: StopGuard.margin)
    }

    /// Runs this daemon as this process, as ``launch()``.
    ///
    /// - Parameter stopMargin: How long a stop for which no task can run is given beyond the limits of the tree.
    package func launch(stopMargin: Duration) -> Never {
        let environment = ServiceEnvironment.take()
        let log = DaemonLog.standardError(journalStream: environment.journalStream)
        csupervision_ignore_sigpipe()
        // Handlers of the end of a process may wait for threads that hang: do without.
        let whenStuck = DaemonRun.WhenStuck(margin: stopMargin) { _exit($0.rawValue) }
        let run = DaemonRun(environment: environment, log: log, whenStuck: whenStuck) { signal in
            _exit(signal.exitCode.rawValue)
        }
        let signals: DaemonSignals
        do {
            signals = try DaemonSignals(stop: run.receive, reload: run.reload, look: run.look)
        } catch {
            log.write(.error, "\(error)", isLast: true)
            log.flushFromThread()
            _exit(ExitCode.configuration.rawValue)
        }
        Task {
            let end = await run.run(self)
            withExtendedLifetime(signals) {
                if end.isAnythingRunning { _exit(end.code.rawValue) }
                exit(end.code.rawValue)
            }
        }
        dispatchMain()
    }
}
