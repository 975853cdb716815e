public import Supervision
import SupervisionLock

/// A child that does what the test says and tells what was done to it.
///
/// Put it into a tree in place of a real child:
///
/// ```swift
/// let database = Probe("database")
/// let trial = SupervisorTrial(Supervisor { database })
/// await database.wait(for: .started)
/// database.fail()
/// await database.wait(for: .started, count: 2)
/// ```
///
/// It traps when two copies of it run at once: no supervisor may let that happen.
public final class Probe: Child {
    /// What can happen to a probe.
    public enum Fact: Sendable, Hashable {
        /// Its body has begun to run.
        case begun
        /// It has reported that it started.
        case started
        /// It was told to stop.
        case stopRequested
        /// It was cancelled.
        case cancelled
        /// Its body is about to end.
        case ended
    }

    /// How a probe starts.
    public enum Start: Sendable {
        /// Reports at once that it has started.
        case atOnce
        /// Reports that it has started when the test calls ``Probe/start()``.
        case whenTold
        /// Throws this error instead of starting.
        case failing(any Error)
    }

    private enum Command {
        case start
        case end((any Error)?)
        case stopRequested
    }

    private struct State {
        var start: Start
        var copies = 0
        var commands: [Command] = []
        var reader: CheckedContinuation<Void, Never>?
    }

    let id: String
    let restart: Restart
    let shutdown: Shutdown
    private let ignoresStop: Bool
    private let state: Locked<State>
    private let happened = Recorder<Fact>()

    /// Makes a probe.
    ///
    /// - Parameters:
    ///   - id: Its name among its siblings.
    ///   - restart: When it is started again; permanent by default.
    ///   - shutdown: How it is stopped; by default cancelled, with five seconds to end.
    ///   - start: How it starts; at once, by default. The next start can be changed with ``nextStart(_:)``.
    ///   - ignoresStop: Whether it goes on although it is asked and cancelled, until ``finish()`` or
    ///     ``fail(_:)``; false by default.
    public init(
        _ id: String,
        restart: Restart = .permanent,
        shutdown: Shutdown = .timeout(.seconds(5)),
        start: Start = .atOnce,
        ignoresStop: Bool = false
    ) {
        self.id = id
        self.restart = restart
        self.shutdown = shutdown
        self.ignoresStop = ignoresStop
        state = Locked(State(start: start))
    }

    /// The probe as a child.
    public var childSpec: ChildSpec {
        ChildSpec(id, restart: restart, shutdown: shutdown) { [self] context in
            try await run(context) { _ in context.started() }
        }
    }

    /// Sets how the probe starts from now on.
    public func nextStart(_ start: Start) {
        state.withLock { $0.start = start }
    }

    /// Lets a probe that starts when told report that it has started.
    public func start() {
        send(.start)
    }

    /// Lets the body return.
    public func finish() {
        send(.end(nil))
    }

    /// Lets the body throw.
    public func fail(_ error: any Error = InjectedFailure()) {
        send(.end(error))
    }

    /// Everything that has happened so far, all copies together.
    public var facts: [Fact] { happened.all }

    /// Waits until something has happened, as often as that, since the probe was made.
    ///
    /// Returns early when the task is cancelled, as a time limit does it.
    public func wait(for fact: Fact, count: Int = 1) async {
        await happened.wait(for: fact, count: count)
    }

    /// Does what the test says.
    ///
    /// - Parameters:
    ///   - context: What the body knows.
    ///   - report: Reports that the child has started; is told whether the test has called ``start()``.
    /// - Throws: What the test says; `CancellationError` when it is cancelled.
    func run(_ context: ChildContext, report: @escaping @Sendable (_ isTold: Bool) -> Void) async throws {
        let start = state.withLock { state in
            state.copies += 1
            precondition(state.copies == 1, "two copies of probe \"\(context.path)\" run at once")
            // What an earlier copy was told must not stop this one.
            state.commands.removeAll { if case .stopRequested = $0 { true } else { false } }
            return state.start
        }
        defer {
            state.withLock { $0.copies -= 1 }
        }
        happened.add(.begun)
        defer { happened.add(.ended) }
        if case .failing(let error) = start { throw error }

        try await withTaskCancellationHandler {
            async let _ = watchStop(context)
            if case .atOnce = start { begin { report(false) } }
            loop: while true {
                switch await nextCommand() {
                case .start:
                    begin { report(true) }
                case .end(let error?):
                    throw error
                case .end(nil):
                    break loop
                case .stopRequested where ignoresStop:
                    continue
                case .stopRequested:
                    try Task.checkCancellation()
                    break loop
                }
            }
        } onCancel: {
            happened.add(.cancelled)
            // Nobody need have told it to stop: it may have been too slow to start.
            send(.stopRequested)
        }
    }

    private func begin(_ report: () -> Void) {
        happened.add(.started)
        report()
    }

    private func watchStop(_ context: ChildContext) async {
        await context.shutdownRequested()
        guard context.isShutdownRequested else { return }
        happened.add(.stopRequested)
        send(.stopRequested)
    }

    private func send(_ command: Command) {
        let reader = state.withLock { state in
            state.commands.append(command)
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume()
    }

    private func nextCommand() async -> Command {
        while true {
            let command = state.withLock { state in
                state.commands.isEmpty ? nil : state.commands.removeFirst()
            }
            if let command { return command }
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    guard state.commands.isEmpty else { return true }
                    state.reader = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }
}
