import Supervision
import SupervisionTesting
import Testing

@Suite("Hostile: thousands that do not start", .timeLimit(.minutes(5)))
struct HostileStartTests {
    private let hostile = Hostile()
    private let count = 2_000

    @Test("the last one fails to start, and those before it will not stop: all are named, in their time")
    func lastFails() async throws {
        let supervisor = Supervisor {
            for number in 0..<count { hostile.stubborn("\(number)", shutdown: .timeout(.seconds(3))) }
            ChildSpec("last") { (_: ChildContext) in throw InjectedFailure("no database") }
        }
        hostile.passTime(in: supervisor) { _ in true }
        let trial = SupervisorTrial(supervisor, clock: hostile.clock)
        let error = await trial.end()
        #expect(error?.code == .childFailedToStart)
        #expect(error?.path == ["last"])
        #expect(error?.abandoned == (0..<count).map { ["\($0)"] })
        #expect(trial.story.end == .seconds(3 * count))
        #expect(
            error?.description.hasPrefix("child \"last\" failed to start: no database: still running") == true
        )
        hostile.release.open()
        try await trial.expectNothingLeft()
    }

    @Test("all of a dynamic supervisor fail to start, from many callers: each caller is told, nobody counts")
    func dynamic() async throws {
        let rooms = DynamicSupervisor("rooms") { (_, number: Int) in throw InjectedFailure("no \(number)") }
        let trial = SupervisorTrial(Supervisor { rooms })
        try await trial.started()
        let told = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<count {
                group.addTask {
                    do {
                        try await rooms.startChild(number)
                        return false
                    } catch {
                        return "\(error)".hasSuffix("failed to start: no \(number)")
                    }
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(told == count)
        #expect(try await rooms.countChildren().specs == 0)
        #expect(await trial.stop() == nil)
        try await trial.expectNothingLeft()
    }

    @Test("none starts, and none heeds the start's limit: all are named when both limits are over")
    func neverStarted() async throws {
        let rooms = DynamicSupervisor(
            "rooms",
            shutdown: .timeout(.seconds(2)),
            startTimeout: .seconds(3)
        ) { [release = hostile.release] (_, _: Int) in
            await release.wait()
        }
        let trial = SupervisorTrial(Supervisor { rooms }, clock: hostile.clock)
        try await trial.started()
        let callers = (0..<count).map { number in Task { await code { try await rooms.startChild(number) } } }
        await hostile.clock.sleepers(atLeast: count)
        hostile.clock.advance(by: .seconds(3))
        await hostile.clock.sleepers(atLeast: count)
        hostile.clock.advance(by: .seconds(2))
        let error = await trial.end()
        #expect(error?.abandoned.count == count)
        #expect(error.map { Set($0.abandoned) } == Set((0..<count).map { ["rooms", "\($0)"] }))
        #expect(trial.story.end == .seconds(5))
        for caller in callers {
            // The first one fails, and with it the supervisor, which is no more when the others are told.
            let code = await caller.value
            #expect(code == .childFailedToStart || code == .notRunning)
        }
        hostile.release.open()
        try await trial.expectNothingLeft()
    }

    @Test("one that asks its own supervisor before it has started waits for itself, until a stop refuses it")
    func asksTooEarly() async throws {
        let supervisors = AsyncStream.makeStream(of: Supervisor.self)
        let (asked, answers) = (Recorder<Void>(), Recorder<String>())
        let supervisor = Supervisor {
            Probe("first")
            ChildSpec("early", shutdown: .timeout(.seconds(1))) { child in
                for await supervisor in supervisors.stream {
                    let call = begun { try await supervisor.countChildren() }
                    asked.add(())
                    answers.add(await call.outcome)
                }
                child.started()
            }
        }
        let trial = SupervisorTrial(supervisor)
        supervisors.continuation.yield(supervisor)
        supervisors.continuation.finish()
        await asked.wait(forCount: 1)
        #expect(await supervisor.ping())
        #expect(answers.all == [])
        #expect(await trial.stop() == nil)
        #expect(answers.all == ["notRunning"])
        try await trial.expectNothingLeft()
    }
}
