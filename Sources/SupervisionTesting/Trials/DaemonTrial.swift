public import DaemonKit
public import Supervision
import Systemd

/// A whole daemon that runs inside a test: the tree that ships, under a service manager that the test is.
///
/// ```swift
/// @Test func finishesRequestsBeforeItStopsListening() async throws {
///     let trial = try DaemonTrial(Hello(), variables: ["PORT": "0"])
///     try await trial.started()
///     #expect(await trial.stop() == .clean)
///     try trial.story.expect(.stop(of: "drainer"), before: .stop(of: "http"))
///     try trial.story.expect(statuses: ["draining", "drained"])
/// }
/// ```
///
/// Environment, sockets, signals and time are the test's own; any number of daemons may run at the same time. What the
/// daemon reads with `ServiceEnvironment.take()`, from its `init` on, is the environment of the trial. Everything else is
/// real: the manager's socket, the connections, the threads.
///
/// Releasing the trial stops what still runs.
public final class DaemonTrial: Sendable {
    /// The manager that the daemon tells things.
    public let manager: FakeServiceManager

    /// The clock of the tree, unless its supervisor names one itself: it stands still until it is moved.
    public let clock: TestClock

    /// What happens and what the manager is told, in order.
    public let story: Story

    /// What can be done to the children.
    public let faults: Faults

    /// The lines that the daemon writes to standard error, each with its priority (`<4>`).
    public let log: Recorder<String>

    private let run: DaemonRun
    private let task: Task<DaemonRun.End, Never>

    /// Runs a daemon.
    ///
    /// - Parameters:
    ///   - daemon: The daemon, which is made in the environment of the trial.
    ///   - variables: What is in its environment besides what the manager sets; nothing by default.
    ///   - sockets: What a socket unit passes to it; nothing by default.
    ///   - manager: Its service manager, whose stored descriptors it gets; a new one by default.
    ///   - signals: What it gets before its tree is there; nothing by default.
    ///   - patience: How long it waits at its end for the manager to take the last messages; real time, a second by
    ///     default.
    ///   - clock: The clock of the tree; a new one by default.
    ///   - faults: What is to befall its children from their first start on; nothing by default.
    /// - Throws: What making the daemon throws; `SystemdError` when the system has no socket or descriptor to give.
    public init<Tested: Daemon>(
        _ daemon: @autoclosure () throws -> Tested,
        variables: [String: String] = [:],
        sockets: [PassedSocket] = [],
        manager: FakeServiceManager? = nil,
        signals: [Signal] = [],
        patience: Duration = .seconds(1),
        clock: TestClock = TestClock(),
        faults: Faults = Faults()
    ) throws {
        let manager = try manager ?? FakeServiceManager()
        let environment = ServiceEnvironment(
            variables: variables.merging(manager.variables) { mine, _ in mine },
            descriptors: try sockets.map { try $0.handOver() } + manager.handOverStored()
        )
        let story = Story { [inbox = manager.inbox] in inbox.receiveAll() }
        let observer = manager.inbox.observe { [recorder = story.recorder] in recorder.add(.notification($0))
        }
        let log = Recorder<String>()
        let run = DaemonRun(
            environment: environment,
            log: DaemonLog { priority, text in
                for line in priority.prefixed(text).split(separator: "\n") { log.add(String(line)) }
            },
            patience: patience,
            clock: clock,
            staging: faults,
            cutShort: { story.recorder.add(.cutShort(Signal($0))) }
        )
        self.manager = manager
        self.clock = clock
        self.story = story
        self.faults = faults
        self.log = log
        self.run = run
        for signal in signals { Self.send(signal, to: run, story) }
        task = try ServiceEnvironment.$given.withValue(environment) {
            let tested: Tested
            do {
                tested = try daemon()
            } catch {
                // Nothing runs that would do it.
                run.descriptors.closeAll()
                manager.inbox.removeObserver(observer)
                throw error
            }
            let daemon = ToldDaemon(tested, story)
            return Task {
                let end = await run.run(daemon)
                run.descriptors.closeAll()
                faults.end()
                story.end()
                manager.inbox.removeObserver(observer)
                return end
            }
        }
    }

    /// Runs a tree as a daemon.
    ///
    /// - Parameters:
    ///   - variables: What is in its environment besides what the manager sets; nothing by default.
    ///   - sockets: What a socket unit passes to it; nothing by default.
    ///   - manager: Its service manager, whose stored descriptors it gets; a new one by default.
    ///   - signals: What it gets before its tree is there; nothing by default.
    ///   - patience: How long it waits at its end for the manager to take the last messages; real time, a second by
    ///     default.
    ///   - clock: The clock of the tree; a new one by default.
    ///   - faults: What is to befall its children from their first start on; nothing by default.
    ///   - tree: Makes the tree, where a daemon makes its own.
    /// - Throws: `SystemdError` when the system has no socket or descriptor to give.
    public convenience init(
        variables: [String: String] = [:],
        sockets: [PassedSocket] = [],
        manager: FakeServiceManager? = nil,
        signals: [Signal] = [],
        patience: Duration = .seconds(1),
        clock: TestClock = TestClock(),
        faults: Faults = Faults(),
        _ tree: @escaping @Sendable () async throws -> Supervisor
    ) throws {
        try self.init(
            TreeDaemon(tree),
            variables: variables,
            sockets: sockets,
            manager: manager,
            signals: signals,
            patience: patience,
            clock: clock,
            faults: faults
        )
    }

    deinit {
        faults.end()
        task.cancel()
    }

    /// Waits until every child has been started.
    ///
    /// - Throws: ``StoryFailure`` when the run has ended without that.
    public func started(fileID: StaticString = #fileID, line: UInt = #line) async throws {
        try await story.wait(for: .allStarted, fileID: fileID, line: line)
    }

    /// Waits until the manager has been told that the service is ready.
    ///
    /// The children below the `ReadyMarker` may not have started yet: a test of the stop waits for ``started(fileID:line:)``.
    ///
    /// - Throws: ``StoryFailure`` when the run has ended without that.
    public func ready(fileID: StaticString = #fileID, line: UInt = #line) async throws {
        try await story.wait(for: .ready, fileID: fileID, line: line)
    }

    /// Sends a signal to the daemon.
    ///
    /// The second that asks it to stop would end a process at once: here that is an entry of the story.
    public func send(_ signal: Signal) {
        Self.send(signal, to: run, story)
    }

    /// Has the daemon reload, as `systemctl reload` does, and waits until it has told the manager that it is done.
    ///
    /// - Throws: ``StoryFailure`` when the run has ended without that.
    public func reload(fileID: StaticString = #fileID, line: UInt = #line) async throws {
        let reloads = story.notifications.count { $0 == "RELOADING=1" }
        send(.hangUp)
        try await story.wait(for: .reloading, count: reloads + 1, fileID: fileID, line: line)
        // One that is told after each reload, and one after the start.
        try await story.wait(for: .ready, count: reloads + 2, fileID: fileID, line: line)
    }

    /// Waits for the end.
    ///
    /// When the calling task is cancelled, as a time limit does it, the daemon is stopped, nothing hangs any more by the
    /// test's will, and time passes by itself: what does not end then is abandoned as it would be in earnest.
    ///
    /// - Returns: What the process would end with.
    @discardableResult
    public func end() async -> ExitCode {
        await whole.code
    }

    private var whole: DaemonRun.End {
        get async {
            await withTaskCancellationHandler {
                await task.value
            } onCancel: {
                task.cancel()
                faults.end()
                clock.letGo()
            }
        }
    }

    /// Stops the daemon as its manager does, with SIGTERM, and waits for the end, as ``end()``.
    ///
    /// A child that takes time for its stop needs the clock: then send the signal, wait for the begin of that stop,
    /// move the clock, and wait for the end.
    ///
    /// - Returns: What the process would end with.
    @discardableResult
    public func stop() async -> ExitCode {
        send(.terminate)
        return await end()
    }

    /// What the daemon failed with; nil where it was asked to stop, or at the end of its work.
    ///
    /// Waits for the end, as ``end()``.
    public var failure: (any Error)? {
        get async { await whole.error }
    }

    /// Where a listener of the tree listens now; nowhere unless it is started.
    ///
    /// - Parameter listener: The listener's name.
    /// - Returns: The addresses, with the ports that the kernel chose.
    public func addresses(of listener: String) -> [SocketAddress] {
        faults.tree?.daemon.addresses(of: listener) ?? []
    }

    /// Expects, after the end, that no child runs any more, and no task that a child began.
    ///
    /// Detached tasks are not seen.
    ///
    /// - Throws: ``LeftBehind``, with the names of the children.
    public func expectNothingLeft() async throws {
        try await faults.expectNothingLeft()
    }

    private static func send(_ signal: Signal, to run: DaemonRun, _ story: Story) {
        story.recorder.add(.signal(signal))
        switch signal {
        case .terminate: run.receive(.terminate)
        case .interrupt: run.receive(.interrupt)
        case .hangUp: run.reload()
        case .user1: run.look()
        }
    }
}

/// A daemon whose tree a story is told of.
private struct ToldDaemon<Told: Daemon>: Daemon {
    private let daemon: Told
    private let story: Story?

    init() {
        daemon = Told()
        story = nil
    }

    init(_ daemon: Told, _ story: Story) {
        self.daemon = daemon
        self.story = story
    }

    var supervisor: Supervisor {
        get async throws {
            let supervisor = try await daemon.supervisor
            story?.read(supervisor)
            return supervisor
        }
    }
}

/// A daemon that is nothing but its tree.
private struct TreeDaemon: Daemon {
    private let make: @Sendable () async throws -> Supervisor

    init() {
        make = { Supervisor {} }
    }

    init(_ make: @escaping @Sendable () async throws -> Supervisor) {
        self.make = make
    }

    var supervisor: Supervisor {
        get async throws { try await make() }
    }
}

extension Signal {
    fileprivate init(_ signal: StopSignal) {
        self =
            switch signal {
            case .terminate: .terminate
            case .interrupt: .interrupt
            }
    }
}
