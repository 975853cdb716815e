public import Supervision

/// A supervisor that runs inside a test, by itself: without a service manager, signals or an environment.
///
/// ```swift
/// @Test func feedStopsBeforeItsCache() async throws {
///     let trial = SupervisorTrial(tree())
///     try await trial.started()
///     #expect(await trial.stop() == nil)
///     try trial.story.expect(.stop(of: "feed"), before: .stop(of: "cache"))
/// }
/// ```
///
/// For the tree of a whole program there is the ``DaemonTrial``. Releasing the trial stops what still runs.
public final class SupervisorTrial: Sendable {
    /// The supervisor that runs.
    public let supervisor: Supervisor

    /// The clock of the tree, unless the supervisor names one itself: it stands still until it is moved.
    public let clock: TestClock

    /// What happens, in order.
    public let story: Story

    /// What can be done to the children.
    public let faults: Faults

    private let task: Task<Void, any Error>

    /// Runs a supervisor, in a task that inherits what is local to the calling task.
    ///
    /// - Parameters:
    ///   - supervisor: The supervisor, which does not run yet.
    ///   - clock: The clock of the tree; a new one by default.
    ///   - faults: What is to befall its children from their first start on; nothing by default.
    public init(_ supervisor: Supervisor, clock: TestClock = TestClock(), faults: Faults = Faults()) {
        let story = Story(of: supervisor)
        self.supervisor = supervisor
        self.clock = clock
        self.story = story
        self.faults = faults
        task = Task { [faults] in
            defer {
                faults.end()
                story.end()
            }
            try await supervisor.run(in: TreeValues(staging: faults), on: clock)
        }
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

    /// What each child of the supervisor is doing, in words, as in `http running`.
    ///
    /// The words are those of `TreeSnapshot.State`. Waits until the supervisor has done what it was asked before.
    ///
    /// - Throws: `SupervisorError` with code `notRunning` when it does not run.
    public func children() async throws -> [String] {
        try await supervisor.whichChildren().map { "\($0.id) \($0.state.rawValue)" }
    }

    /// Waits for the end.
    ///
    /// When the calling task is cancelled, as a time limit does it, the supervisor is stopped, nothing hangs any more by
    /// the test's will, and time passes by itself: what does not end then is abandoned as it would be in earnest.
    ///
    /// - Returns: What the run threw; nil where it was asked to stop, or at the end of its work.
    @discardableResult
    public func end() async -> SupervisorError? {
        await withTaskCancellationHandler {
            do {
                try await task.value
                return nil
            } catch {
                return error as? SupervisorError
            }
        } onCancel: {
            task.cancel()
            faults.end()
            clock.letGo()
        }
    }

    /// Stops the supervisor, and waits for the end, as ``end()``.
    ///
    /// A child that takes time for its stop needs the clock: then stop the ``supervisor``, wait for the begin of that
    /// stop, move the clock, and wait for the end.
    ///
    /// - Returns: What the run threw; nil where every child has ended.
    @discardableResult
    public func stop() async -> SupervisorError? {
        supervisor.stop()
        return await end()
    }

    /// Cancels the task that the supervisor runs in, which is a request to stop like any other.
    public func cancel() {
        task.cancel()
    }

    /// Expects, after the end, that no child runs any more, and no task that a child began.
    ///
    /// Detached tasks are not seen.
    ///
    /// - Throws: ``LeftBehind``, with the names of the children.
    public func expectNothingLeft() async throws {
        try await faults.expectNothingLeft()
    }
}
