import Supervision
import SupervisionTesting
import Testing

@Suite("Hostile: thousands that speak after their end", .timeLimit(.minutes(5)))
struct HostileLateTests {
    private let count = 2_000

    /// A child that leaves a task behind, which says that it has started when the gate opens.
    private func late(
        _ number: Int,
        _ reference: ChildReference<Int>,
        after gate: Gate,
        restart: Restart,
        copies: Recorder<PublishingContext<Int>>
    ) -> ChildSpec {
        ChildSpec("\(number)", publishing: reference, restart: restart) { child in
            let isFirst = copies.all.isEmpty
            copies.add(child)
            Task {
                await gate.wait()
                child.started(-1)
            }
            child.started(isFirst ? -10 : number)
            if isFirst { throw InjectedFailure() }
            await child.shutdownRequested()
        }
    }

    @Test("what a task of an earlier copy publishes is not the child's, while it runs and after")
    func earlierCopies() async throws {
        let gate = Gate()
        let references = (0..<count).map { _ in ChildReference<Int>() }
        let copies = (0..<count).map { _ in Recorder<PublishingContext<Int>>() }
        let supervisor = Supervisor(intensity: .unlimited) {
            for number in 0..<count {
                late(number, references[number], after: gate, restart: .permanent, copies: copies[number])
            }
        }
        let trial = SupervisorTrial(supervisor)
        for copies in copies { await copies.wait(forCount: 2) }
        try await trial.started()
        for number in 0..<count { #expect(try await references[number].value == number) }
        // What an earlier copy says is heard by nobody; the later one may replace its own.
        for copies in copies { copies.all[0].started(-2) }
        for number in 0..<count { #expect(references[number].current == number) }
        #expect(await trial.stop() == nil)

        gate.open()
        for copies in copies { for copy in copies.all { copy.started(-3) } }
        for reference in references {
            #expect(reference.current == nil)
            #expect(await code { try await reference.value } == .childGone)
        }
        try await trial.expectNothingLeft()
    }

    @Test("one that was abandoned publishes in vain, as often as it likes")
    func abandoned() async throws {
        let hostile = Hostile()
        let references = (0..<count).map { _ in ChildReference<Int>() }
        let published = Recorder<Void>()
        let supervisor = Supervisor {
            for number in 0..<count {
                ChildSpec(
                    "\(number)",
                    publishing: references[number],
                    shutdown: .timeout(.seconds(1))
                ) { [release = hostile.release] child in
                    child.started(number)
                    await release.wait()
                    child.started(-1)
                    child.context.started()
                    published.add(())
                }
            }
        }
        hostile.passTime(in: supervisor) { _ in true }
        let trial = SupervisorTrial(supervisor, clock: hostile.clock)
        try await trial.started()
        #expect(await trial.stop()?.abandoned.count == count)
        #expect(trial.story.end == .seconds(count))
        hostile.release.open()
        await published.wait(forCount: count)
        for reference in references {
            #expect(reference.current == nil)
            #expect(await code { try await reference.value } == .childGone)
        }
        try await trial.expectNothingLeft()
    }

    @Test("one that is gone before it has started says so in vain, however many of them do")
    func dynamic() async throws {
        let contexts = Recorder<ChildContext>()
        let calls = DynamicSupervisor("calls", restart: .temporary) { (child, isShort: Bool) in
            contexts.add(child)
            if isShort { return }
            child.started()
            await child.shutdownRequested()
        }
        let trial = SupervisorTrial(Supervisor { calls })
        try await trial.started()
        for _ in 0..<count { #expect(try await calls.startChild(true) == nil) }
        #expect(try await calls.startChild(false)?.number == count)
        for context in contexts.all { context.started() }
        #expect(try await calls.countChildren().specs == 1, "and by now it has read them all")
        let starts = trial.story.events.filter { event in
            if case .childStarted = event.kind { event.supervisor == ["calls"] } else { false }
        }
        #expect(starts.map(\.child) == [["calls", "\(count)"]])
        #expect(await trial.stop() == nil)
        try await trial.expectNothingLeft()
    }
}
