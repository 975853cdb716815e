import Supervision
import SupervisionTesting
import Testing

@Suite("Hostile: thousands that will not stop", .timeLimit(.minutes(5)))
struct HostileStopTests {
    private let hostile = Hostile()
    private let count = 2_000

    /// One to seven seconds, as the number says.
    private func limit(_ number: Int) -> Duration { .seconds(number % 7 + 1) }

    @Test("one after the other: the tree ends after the sum of their limits, and each is named")
    func inOrder() async throws {
        let count = count
        let references = (0..<count).map { _ in ChildReference<Int>() }
        let supervisor = Supervisor {
            for number in 0..<count {
                hostile.stubborn(
                    "\(number)",
                    shutdown: .timeout(limit(number)),
                    publishing: references[number]
                )
            }
        }
        hostile.passTime(in: supervisor) { _ in true }
        let stillThere = Recorder<Int>()
        supervisor.readEvents { event in
            // The one that was told before has been given up by now.
            guard case .childStopping(let id) = event.kind, let number = Int(id) else { return }
            if number + 1 < count, references[number + 1].current != nil { stillThere.add(number + 1) }
        }
        let trial = SupervisorTrial(supervisor, clock: hostile.clock)
        try await trial.started()
        #expect(references.allSatisfy { $0.current == 0 })
        let error = await trial.stop()
        #expect(stillThere.all == [], "nobody is given what belongs to one that was abandoned")

        let paths = (0..<count).map { ChildPath(["\($0)"]) }
        #expect(error?.code == .childrenAbandoned)
        #expect(error?.abandoned == paths)
        #expect(error?.description.hasSuffix("\"9\", and \(count - 10) more") == true)
        #expect(trial.story.end == (0..<count).reduce(.zero) { $0 + limit($1) })
        let abandoned = trial.story.abandoned
        #expect(abandoned.map(\.child) == paths.reversed())
        #expect(abandoned.map(\.after) == (0..<count).reversed().map(limit))
        for reference in references {
            #expect(await code { try await reference.value } == .childGone)
        }
        #expect(hostile.clock.sleeperCount == 0)
        hostile.release.open()
        try await trial.expectNothingLeft()
    }

    @Test("those that are asked first have their time, and the grace of a cancellation after it")
    func graceful() async throws {
        let supervisor = Supervisor {
            for number in 0..<count { hostile.stubborn("\(number)", shutdown: .graceful(limit(number))) }
        }
        hostile.passTime(in: supervisor, isGraceful: true) { _ in true }
        let trial = SupervisorTrial(supervisor, clock: hostile.clock)
        try await trial.started()
        #expect(await trial.stop()?.abandoned.count == count)
        let times = (0..<count).map { limit($0) + Shutdown.cancellationGrace }
        #expect(trial.story.abandoned.map(\.after) == times.reversed())
        #expect(trial.story.end == times.reduce(.zero, +))
        hostile.release.open()
        try await trial.expectNothingLeft()
    }

    @Test("those that obey are not blamed for those that do not")
    func mixed() async throws {
        let supervisor = Supervisor {
            for number in 0..<count {
                if number % 3 == 0 {
                    hostile.stubborn("\(number)", shutdown: .timeout(limit(number)))
                } else {
                    ChildSpec("\(number)", shutdown: .infinity) { child in
                        child.started()
                        await child.shutdownRequested()
                        if number % 3 == 1 { throw InjectedFailure("at its end") }
                    }
                }
            }
        }
        hostile.passTime(in: supervisor) { path in path.ids.last.flatMap { Int($0) }.map { $0 % 3 } == 0 }
        let trial = SupervisorTrial(supervisor, clock: hostile.clock)
        try await trial.started()
        let error = await trial.stop()
        let stubborn = stride(from: 0, to: count, by: 3)
        #expect(error?.abandoned == stubborn.map { ["\($0)"] })
        #expect(trial.story.end == stubborn.reduce(.zero) { $0 + limit($1) })
        let failed = trial.story.lines.count { $0.hasSuffix("stopped, but threw: at its end") }
        #expect(failed == (0..<count).count { $0 % 3 == 1 })
        hostile.release.open()
        try await trial.expectNothingLeft()
    }

    @Test("ten supervisors deep, the one at the top names each with its whole path")
    func nested() async throws {
        func tree(_ depth: Int) -> Supervisor {
            Supervisor(depth == 0 ? "top" : "deeper") {
                for number in 0..<100 { hostile.stubborn("\(number)", shutdown: .timeout(.seconds(2))) }
                if depth < 9 { tree(depth + 1) }
            }
        }
        let supervisor = tree(0)
        hostile.passTime(in: supervisor) { $0.ids.last != "deeper" }
        let trial = SupervisorTrial(supervisor, clock: hostile.clock)
        try await trial.started()
        let error = await trial.stop()
        let expected = (0..<10).flatMap { depth in
            (0..<100).map { ChildPath(Array(repeating: "deeper", count: depth) + ["\($0)"]) }
        }
        #expect(error?.abandoned == expected)
        #expect(trial.story.end == .seconds(2_000))
        hostile.release.open()
        try await trial.expectNothingLeft()
    }

    @Test("a supervisor with a limit of its own ends no later, and is named for what is below it")
    func limitedSupervisor() async throws {
        let inner = Supervisor("inner", shutdown: .timeout(.seconds(10))) {
            for number in 0..<count { hostile.stubborn("\(number)", shutdown: .timeout(.seconds(3_600))) }
        }
        let supervisor = Supervisor {
            Probe("first"); inner
        }
        let trial = SupervisorTrial(supervisor, clock: hostile.clock)
        try await trial.started()
        supervisor.stop()
        try await trial.story.wait(forBeginOf: .stop(of: ["inner", "\(count - 1)"]))
        hostile.clock.advance(by: .seconds(10))
        let error = await trial.end()
        #expect(error?.abandoned == [["inner"]])
        #expect(trial.story.end == .seconds(10))
        hostile.release.open()
        try await trial.expectNothingLeft()
    }

    @Test(
        "all at once: a dynamic supervisor gives up thousands in the time of one",
        arguments: [Shutdown.timeout(.seconds(5)), .graceful(.seconds(4))]
    )
    func together(shutdown: Shutdown) async throws {
        let rooms = DynamicSupervisor("rooms", shutdown: shutdown) {
            [release = hostile.release] (child, _: Int) in
            child.started()
            await release.wait()
        }
        let trial = SupervisorTrial(Supervisor { rooms }, clock: hostile.clock)
        try await trial.started()
        for number in 0..<count { try await rooms.startChild(number) }
        trial.supervisor.stop()
        if case .graceful(let limit) = shutdown {
            await hostile.clock.sleeper(dueIn: limit)
            hostile.clock.advance(by: limit)
            await hostile.clock.sleeper(dueIn: Shutdown.cancellationGrace)
            hostile.clock.advance(by: Shutdown.cancellationGrace)
        } else {
            await hostile.clock.sleeper(dueIn: .seconds(5))
            hostile.clock.advance(by: .seconds(5))
        }
        let error = await trial.end()
        #expect(error?.abandoned == (0..<count).map { ["rooms", "\($0)"] })
        #expect(trial.story.end == .seconds(5))
        #expect(trial.story.abandoned.allSatisfy { $0.after == .seconds(5) })
        hostile.release.open()
        try await trial.expectNothingLeft()
    }
}
