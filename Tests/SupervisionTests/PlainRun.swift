import Supervision
import SupervisionTesting

/// A supervisor that runs, with a story and a clock, and its children's bodies as they are.
///
/// A trial runs each body in a task of the trial's, whose first steps are not on the supervisor's thread.
struct PlainRun {
    let supervisor: Supervisor
    let clock = TestClock()
    let story: Story
    private let task: Task<Void, any Error>

    init(_ supervisor: Supervisor) {
        let story = Story(of: supervisor)
        self.supervisor = supervisor
        self.story = story
        task = Task { [clock] in
            defer { story.end() }
            try await supervisor.run(in: TreeValues(), on: clock)
        }
    }

    func started() async throws {
        try await story.wait(for: .allStarted)
    }

    func end() async -> SupervisorError? {
        do {
            try await task.value
            return nil
        } catch {
            return error as? SupervisorError
        }
    }

    func stop() async -> SupervisorError? {
        supervisor.stop()
        return await end()
    }
}
