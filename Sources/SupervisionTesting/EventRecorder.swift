public import Supervision
import SupervisionLock

/// Keeps everything that happens in a tree, and lets a test wait for it.
///
/// ```swift
/// let recorder = EventRecorder(supervisor)
/// async let run: Void = supervisor.run()
/// await recorder.wait(for: "http started")
/// supervisor.stop()
/// try await run
/// #expect(recorder.lines.suffix(2) == ["http stopped", "supervisor stopped"])
/// ```
///
/// Events are recorded in the moment they happen, before the supervisor acts on them.
public final class EventRecorder: Sendable {
    private struct State {
        var events: [SupervisorEvent] = []
        var watchers: [(line: String, count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Locked(State())

    /// Begins to record the events of a supervisor and of those nested in it.
    public init(_ supervisor: Supervisor) {
        supervisor.readEvents { [weak self] event in self?.record(event) }
    }

    /// What has happened so far.
    public var events: [SupervisorEvent] {
        state.withLock(\.events)
    }

    /// What has happened so far, in words (`SupervisorEvent.description`).
    public var lines: [String] {
        events.map(\.description)
    }

    /// Waits until this has happened, as often as that.
    public func wait(for line: String, count: Int = 1) async {
        await withCheckedContinuation { continuation in
            let hasHappened = state.withLock { state in
                guard state.events.count(where: { $0.description == line }) < count else { return true }
                state.watchers.append((line, count, continuation))
                return false
            }
            if hasHappened { continuation.resume() }
        }
    }

    private func record(_ event: SupervisorEvent) {
        let satisfied = state.withLock { state in
            state.events.append(event)
            guard !state.watchers.isEmpty else { return [] as [CheckedContinuation<Void, Never>] }
            let lines = state.events.map(\.description)
            let isSatisfied = { (line: String, count: Int) in lines.count { $0 == line } >= count }
            let satisfied = state.watchers.filter { isSatisfied($0.line, $0.count) }
            state.watchers.removeAll { isSatisfied($0.line, $0.count) }
            return satisfied.map(\.continuation)
        }
        for continuation in satisfied { continuation.resume() }
    }
}
