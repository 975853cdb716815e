import SupervisionLock

/// Something that is waited for until it is opened.
///
/// Holds a child of a test at the place that matters:
///
/// ```swift
/// let gate = Gate()
/// let slow = ChildSpec("slow") { child in
///     await gate.wait()
///     child.started()
///     await child.shutdownRequested()
/// }
/// ```
public final class Gate: Sendable {
    private let opened = Recorder<Void>()

    /// Makes a gate that is closed.
    public init() {}

    /// Whether it has been opened.
    public var isOpen: Bool { !opened.all.isEmpty }

    /// Opens it, for good: who waits goes on, and nobody waits any more.
    public func open() {
        opened.add(())
    }

    /// Waits until it is open, whether the task is cancelled or not.
    public func wait() async {
        // What is cancelled must wait as well: where it stands is the point of the test.
        await Task { await opened.wait(forCount: 1) }.value
    }

    /// Waits until it is open, or the task is cancelled.
    ///
    /// - Throws: `CancellationError` when the task was cancelled first.
    public func waitUnlessCancelled() async throws {
        await opened.wait(forCount: 1)
        try Task.checkCancellation()
    }
}
