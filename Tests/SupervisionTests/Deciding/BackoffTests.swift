import Testing

@testable import Supervision

@Suite("Decisions: backoff")
struct BackoffTests {
    /// Failures in a row, and the pause after the last of them.
    static let pauses: [(Backoff, [Int: Duration])] = [
        (
            .exponential(from: .milliseconds(100), to: .seconds(3), jitter: 0),
            [
                1: .milliseconds(100), 2: .milliseconds(200), 3: .milliseconds(400), 5: .milliseconds(1_600),
                6: .seconds(3), 7: .seconds(3), 1_000: .seconds(3), 1_000_000_000: .seconds(3),
            ]
        ),
        (
            .exponential(from: .seconds(1), to: .seconds(20), factor: 3, jitter: 0),
            [1: .seconds(1), 2: .seconds(3), 3: .seconds(9), 4: .seconds(20), .max: .seconds(20)]
        ),
        (
            .exponential(from: .seconds(2), to: .seconds(9), factor: 1, jitter: 0),
            [1: .seconds(2), 2: .seconds(2), .max: .seconds(2)]
        ),
        (.exponential(from: .seconds(4), to: .seconds(4), jitter: 0), [1: .seconds(4), 2: .seconds(4)]),
        (.constant(.seconds(7)), [1: .seconds(7), 2: .seconds(7), .max: .seconds(7)]),
        (.constant(.zero), [1: .zero, 2: .zero, .max: .zero]),
    ]

    @Test("pauses grow with each failure, up to the cap and not beyond", arguments: pauses)
    func growth(backoff: Backoff, pauses: [Int: Duration]) {
        var random = SeededRandom(seed: 1)
        for (failures, pause) in pauses {
            #expect(backoff.delay(afterFailures: failures, using: &random) == pause, "after \(failures)")
        }
    }

    @Test(
        "jitter shortens a pause by at most its fraction, and never lengthens it",
        arguments: [0.1, 0.5, 1]
    )
    func jitter(jitter: Double) {
        let backoff = Backoff.exponential(from: .seconds(1), to: .seconds(8), jitter: jitter)
        var random = SeededRandom(seed: 7)
        var pauses: Set<Duration> = []
        for failures in [1, 4, 5, 100] {
            let full: Duration = failures == 1 ? .seconds(1) : .seconds(8)
            for _ in 0..<500 {
                let pause = backoff.delay(afterFailures: failures, using: &random)
                #expect(pause <= full && pause >= full * (1 - jitter))
                if failures == 100 { pauses.insert(pause) }
            }
        }
        #expect(pauses.count > 400, "it does vary")
        #expect(pauses.contains { $0 < .seconds(8) * (1 - jitter * 0.9) }, "over the whole of its range")
        #expect(pauses.contains { $0 > .seconds(8) * (1 - jitter * 0.1) })
    }

    @Test("the same seed gives the same pauses, another seed others")
    func seeds() {
        let backoff = Backoff.constant(.seconds(1), jitter: 0.5)
        func pauses(_ seed: UInt64) -> [Duration] {
            var random = SeededRandom(seed: seed)
            return (1...5).map { backoff.delay(afterFailures: $0, using: &random) }
        }
        #expect(pauses(3) == pauses(3))
        #expect(pauses(3) != pauses(4))
    }

    private let backoff = Backoff.exponential(
        from: .seconds(1),
        to: .seconds(60),
        jitter: 0,
        resetAfter: .seconds(10)
    )

    /// Fails, and says after which pause the child is started again.
    private func fail(_ account: inout RestartAccount, at now: Duration, since: Duration?)
        -> RestartAccount.Admission
    {
        var random = SeededRandom(seed: 1)
        return account.admitRestart(at: now, runningSince: since, backoff: backoff, using: &random)
    }

    @Test("a child that has been running for long enough begins with the shortest pause again")
    func reset() {
        var account = RestartAccount(nil)
        #expect(fail(&account, at: .seconds(0), since: .seconds(0)) == .after(.seconds(1)))
        #expect(
            fail(&account, at: .seconds(20), since: .milliseconds(10_001)) == .after(.seconds(2)),
            "not quite"
        )
        #expect(fail(&account, at: .seconds(40), since: .seconds(30)) == .after(.seconds(1)), "exactly")
        #expect(fail(&account, at: .seconds(50), since: .seconds(49)) == .after(.seconds(2)))
    }

    @Test("time in which a child was not running does not count as quiet")
    func noReset() {
        var account = RestartAccount(nil)
        #expect(fail(&account, at: .seconds(0), since: nil) == .after(.seconds(1)))
        #expect(fail(&account, at: .seconds(1_000), since: nil) == .after(.seconds(2)))
    }

    @Test("the pause is measured from the failure, and the quiet time from the start")
    func inMachine() {
        var machine = Machine(rules: [ChildRules.plain().with { $0.backoff = backoff }]).up()
        #expect(
            machine.childEnded(ref(0), .threw, at: .seconds(3)).reports.last
                == .childRestarting(ref(0), after: .seconds(1))
        )
        #expect(machine.deadline == .seconds(4))
        _ = machine.deadlineReached(at: .seconds(4))
        _ = machine.childStarted(ref(0, 2), at: .seconds(9))
        #expect(
            machine.childEnded(ref(0, 2), .threw, at: .seconds(18)).reports.last
                == .childRestarting(ref(0, 2), after: .seconds(2))
        )
        _ = machine.deadlineReached(at: .seconds(20))
        _ = machine.childStarted(ref(0, 3), at: .seconds(20))
        #expect(
            machine.childEnded(ref(0, 3), .threw, at: .seconds(30)).reports.last
                == .childRestarting(ref(0, 3), after: .seconds(1))
        )
    }

    @Test("a child with a backoff does not use up what its supervisor allows", arguments: Strategy.allCases)
    func ownAccount(strategy: Strategy) {
        var machine = Machine(
            strategy: strategy,
            intensity: .init(maxRestarts: 0, within: .seconds(1_000)),
            rules: [ChildRules.plain().patient]
        ).up()
        for generation in 1...50 {
            #expect(machine.end(ref(0, generation)).stopReason == nil)
            let due = machine.deadline ?? .zero
            #expect(machine.deadlineReached(at: due).starts == [ref(0, generation + 1)])
        }
    }

    @Test("pauses of several children end in the order in which they are due")
    func deadlines() {
        let pauses = [30, 10, 20, 10, 40]
        var machine = Machine(
            rules: pauses.map { pause in ChildRules.plain().with { $0.backoff = .constant(.seconds(pause)) } }
        ).up()
        for slot in pauses.indices { _ = machine.end(ref(slot)) }
        var started: [Int] = []
        while let deadline = machine.deadline {
            #expect(machine.deadlineReached(at: deadline - .nanoseconds(1)) == [])
            started += machine.deadlineReached(at: deadline).starts.map { pauses[$0.slot] }
        }
        #expect(started == [10, 10, 20, 30, 40])
    }

    @Test(
        "a child that is not restarted does not wait",
        arguments: [(Restart.transient, Exit.returned), (.temporary, .threw)]
    )
    func noRestart(restart: Restart, exit: Exit) {
        var machine = Machine(rules: [ChildRules.plain(restart).patient]).up()
        #expect(machine.end(ref(0), exit).reports == [.childEnded(ref(0), exit)])
        #expect(machine.deadline == nil)
    }

    @Test("a first start that fails is not tried again, backoff or not")
    func firstStart() {
        var machine = Machine(rules: [ChildRules.plain().patient])
        _ = machine.start()
        #expect(machine.end(ref(0)).stopReason == .startFailed(ref(0)))
    }

    @Test("one_for_one: while a child waits during the start, those below it are not started")
    func duringStart() {
        var machine = Machine(rules: [ChildRules.plain().patient, .plain(), .plain()])
        _ = machine.start()
        _ = machine.childStarted(ref(0))
        _ = machine.end(ref(0))
        #expect(machine.childStarted(ref(1)).deeds == [])
        #expect(machine.deadlineReached(at: .seconds(1)).deeds == [.start(ref(0, 2))])
        #expect(machine.childStarted(ref(0, 2)).deeds == [.start(ref(2))])
    }
}
