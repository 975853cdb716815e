import Supervision
import SupervisionTesting

struct Failure: Error, Hashable, CustomStringConvertible {
    var description: String
    init(_ description: String = "broken") { self.description = description }
}

/// A supervisor running in a task, with everything that happens in it recorded.
struct Trial {
    let supervisor: Supervisor
    let recorder: EventRecorder
    let task: Task<Void, any Error>

    init(_ supervisor: Supervisor) {
        self.supervisor = supervisor
        recorder = EventRecorder(supervisor)
        task = Task { try await supervisor.run() }
    }

    /// Waits until all children have been started.
    func up() async {
        await recorder.wait(for: "supervisor started")
    }

    /// Waits for the end, and returns what the run threw.
    func error() async -> SupervisorError? {
        do {
            try await task.value
            return nil
        } catch {
            return error as? SupervisorError
        }
    }

    /// Stops the supervisor, waits for the end, and returns what the run threw.
    func stop() async -> SupervisorError? {
        supervisor.stop()
        return await error()
    }

    /// What happened from this line on.
    func lines(from line: String) -> [String] {
        Array(recorder.lines.drop { $0 != line })
    }

    /// Each child, and what it is doing.
    func children() async throws -> [String] {
        try await supervisor.whichChildren().map { "\($0.id) \($0.state.rawValue)" }
    }
}
