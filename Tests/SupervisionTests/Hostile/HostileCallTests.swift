import Supervision
import SupervisionLock
import SupervisionTesting
import Testing

@Suite("Hostile: children that turn on their own supervisor", .timeLimit(.minutes(5)))
struct HostileCallTests {
    private let count = 1_000

    /// A thousand that do something to the supervisor they are in, when they are told to stop.
    private func trial(
        _ shutdown: Shutdown,
        onStop: @escaping @Sendable (Supervisor, Int) async throws -> Void
    ) async throws -> SupervisorTrial {
        let reference = ChildReference<Supervisor>()
        let giver = PublishingProbe("giver", publishing: reference)
        let supervisor = Supervisor {
            giver
            for number in 0..<count {
                ChildSpec("\(number)", shutdown: shutdown) { child in
                    let supervisor = try await reference.value
                    child.started()
                    await child.shutdownRequested()
                    try await onStop(supervisor, number)
                }
            }
        }
        let trial = SupervisorTrial(supervisor)
        giver.publish(supervisor)
        try await trial.started()
        return trial
    }

    @Test("what each asks of it during the stop is refused at once: no time passes, and nobody waits")
    func callsDuringTheStop() async throws {
        let refused = Recorder<SupervisorError.Code?>()
        let trial = try await trial(.graceful(.seconds(5))) { supervisor, number in
            refused.add(await code { try await supervisor.terminateChild("\(number)") })
            refused.add(await code { try await supervisor.startChild(ChildSpec("more") {}) })
            refused.add(await code { try await supervisor.countChildren() })
            supervisor.stop()
        }
        #expect(await trial.stop() == nil)
        #expect(refused.all.count == 3 * count)
        #expect(refused.all.allSatisfy { $0 == .notRunning })
        #expect(trial.clock.now.offset == .zero)
        try await trial.expectNothingLeft()
    }

    @Test("one that waits in its stop for a sibling's stop, which waits for it, has its time and no more")
    func waitsForItself() async throws {
        let trial = try await trial(.graceful(.seconds(5))) { supervisor, number in
            // Terminated by a call, so that the supervisor serves calls, this one after that.
            guard number == 7 else { return }
            try await supervisor.terminateChild("8")
        }
        let call = begun { try await trial.supervisor.terminateChild("7") }
        try await trial.story.wait(forBeginOf: .stop(of: "7"))
        await trial.clock.sleeper(dueIn: .seconds(5))
        trial.clock.advance(by: .seconds(5))
        #expect(await call.outcome == "()")
        try trial.story.expect("7 cancelled, has not stopped in 5.0 seconds", times: 1)
        #expect(await trial.stop() == nil)
        try await trial.expectNothingLeft()
    }

    @Test("a stop that a thousand ask for is one stop")
    func stops() async throws {
        let reference = ChildReference<Supervisor>()
        let giver = PublishingProbe("giver", publishing: reference)
        let supervisor = Supervisor {
            for number in 0..<count {
                ChildSpec("\(number)", shutdown: .infinity) { child in
                    child.started()
                    try await reference.value.stop()
                    await child.shutdownRequested()
                }
            }
            giver
        }
        let trial = SupervisorTrial(supervisor)
        await giver.wait(for: .begun)
        giver.publish(supervisor)
        #expect(await trial.end() == nil)
        try trial.story.expect("supervisor stopping: requested", times: 1)
        try await trial.expectNothingLeft()
    }

    @Test("a thousand that cancel themselves end by that, and are started again as after any error")
    func selfCancelled() async throws {
        let starts = Recorder<Void>()
        let cancelled = Locked<Set<Int>>([])
        let supervisor = Supervisor(intensity: .unlimited) {
            for number in 0..<count {
                ChildSpec("\(number)") { child in
                    starts.add(())
                    child.started()
                    if cancelled.withLock({ $0.insert(number).inserted }) {
                        withUnsafeCurrentTask { $0?.cancel() }
                    }
                    await child.shutdownRequested()
                    try Task.checkCancellation()
                }
            }
        }
        let trial = SupervisorTrial(supervisor)
        try await trial.started()
        await starts.wait(forCount: 2 * count)
        #expect(try await supervisor.countChildren().active == count)
        #expect(await trial.stop() == nil)
        try await trial.expectNothingLeft()
    }
}
