import Testing

@testable import Supervision

@Suite("Decisions: restart")
struct MachineRestartTests {
    /// restart type × way of ending: whether another copy is started.
    static let rules: [(Restart, Exit, Bool)] = [
        (.permanent, .returned, true),
        (.permanent, .threw, true),
        (.permanent, .cancelled, true),
        (.transient, .returned, false),
        (.transient, .threw, true),
        (.transient, .cancelled, true),
        (.temporary, .returned, false),
        (.temporary, .threw, false),
        (.temporary, .cancelled, false),
    ]

    @Test("the restart type decides by the way a child ended", arguments: rules)
    func rule(restart: Restart, exit: Exit, isRestarted: Bool) {
        var machine = Machine([.permanent, restart, .permanent]).up()
        let actions = machine.childEnded(ref(1), exit, at: .zero)
        #expect(actions.reports.first == .childEnded(ref(1), exit))
        #expect(actions.deeds == (isRestarted ? [.start(ref(1, 2))] : []), "and no sibling is touched")
    }

    @Test(
        "a child that is not restarted is not there to be stopped",
        arguments: [Restart.transient, .temporary]
    )
    func goneForGood(restart: Restart) {
        var machine = Machine([.permanent, restart]).up()
        _ = machine.childEnded(ref(1), .returned, at: .zero)
        #expect(machine.stopRequested(at: .zero).deeds == [.cancel(ref(0))])
    }

    @Test(
        "a restart that fails to start is tried again, and counts",
        arguments: [Restart.permanent, .transient],
        [Exit.threw, .cancelled]
    )
    func failingRestart(restart: Restart, exit: Exit) {
        var machine = Machine([restart], intensity: .init(maxRestarts: 2, within: .seconds(5))).up()
        #expect(machine.childEnded(ref(0), .threw, at: .zero).deeds == [.start(ref(0, 2))])
        #expect(machine.childEnded(ref(0, 2), exit, at: .zero).deeds == [.start(ref(0, 3))])
        #expect(machine.childEnded(ref(0, 3), exit, at: .zero).stopReason == .gaveUp(ref(0, 3)))
    }

    @Test("a restarted child that returns before it has started is left at that")
    func ignoredRestart() {
        var machine = Machine([.permanent]).up()
        _ = machine.childEnded(ref(0), .threw, at: .zero)
        #expect(machine.childEnded(ref(0, 2), .returned, at: .zero).reports == [.childIgnored(ref(0, 2))])
    }

    @Test("news of an earlier copy is ignored")
    func stale() {
        var machine = Machine([.permanent]).up()
        _ = machine.childEnded(ref(0), .threw, at: .zero)
        #expect(machine.childStarted(ref(0)) == [])
        #expect(machine.childEnded(ref(0), .threw, at: .zero) == [])
    }

    @Test("a failure while another child restarts is dealt with at once")
    func independent() {
        var machine = Machine([.permanent, .permanent]).up()
        #expect(machine.childEnded(ref(0), .threw, at: .zero).deeds == [.start(ref(0, 2))])
        #expect(machine.childEnded(ref(1), .threw, at: .zero).deeds == [.start(ref(1, 2))])
    }

    @Test(
        "a child with something left running below it is not restarted: the supervisor stops",
        arguments: Restart.allCases
    )
    func leftRunning(restart: Restart) {
        var machine = Machine([.permanent, restart]).up()
        let actions = machine.childEnded(ref(1), .leftRunning, at: .zero)
        #expect(actions.stopReason == .leftRunning(ref(1)))
        #expect(actions.deeds == [.cancel(ref(0))])
        #expect(
            machine.childEnded(ref(0), .cancelled, at: .zero).deeds
                == [.finish(.leftRunning(ref(1)))]
        )
        #expect(machine.abandoned == [ref(1)])
    }
}

@Suite("Decisions: restart intensity")
struct MachineIntensityTests {
    @Test("N restarts are allowed and the next one is not", arguments: [0, 1, 3, 10])
    func limit(maxRestarts: Int) {
        var machine = Machine([.permanent], intensity: .init(maxRestarts: maxRestarts, within: .seconds(5)))
            .up()
        for generation in 0..<maxRestarts {
            let copy = ref(0, generation + 1)
            #expect(machine.childEnded(copy, .threw, at: .zero).deeds == [.start(ref(0, generation + 2))])
            _ = machine.childStarted(ref(0, generation + 2))
        }
        let last = machine.childEnded(ref(0, maxRestarts + 1), .threw, at: .zero)
        #expect(last.stopReason == .gaveUp(ref(0, maxRestarts + 1)))
        #expect(last.deeds == [.finish(.gaveUp(ref(0, maxRestarts + 1)))])
    }

    @Test("restarts of all children count together")
    func shared() {
        var machine = Machine(
            [.permanent, .transient],
            intensity: .init(maxRestarts: 1, within: .seconds(5))
        ).up()
        _ = machine.childEnded(ref(0), .threw, at: .zero)
        let actions = machine.childEnded(ref(1), .threw, at: .zero)
        #expect(actions.stopReason == .gaveUp(ref(1)))
        #expect(actions.deeds == [.cancel(ref(0, 2))])
    }

    @Test("an end that needs no restart does not count")
    func doesNotCount() {
        var machine = Machine(
            [.temporary, .transient, .permanent],
            intensity: .init(maxRestarts: 1, within: .seconds(5))
        ).up()
        _ = machine.childEnded(ref(0), .threw, at: .zero)
        _ = machine.childEnded(ref(1), .returned, at: .zero)
        #expect(machine.childEnded(ref(2), .threw, at: .zero).deeds == [.start(ref(2, 2))])
    }

    @Test("a restart exactly as old as the period still counts")
    func onTheEdge() {
        var window = RestartWindow(.init(maxRestarts: 1, within: .milliseconds(250)))
        #expect(window.admitRestart(at: .seconds(1)) == true)
        #expect(window.admitRestart(at: .milliseconds(1250)) == false)
    }

    @Test("a restart older than the period, by however little, does not count")
    func pastTheEdge() {
        var window = RestartWindow(.init(maxRestarts: 1, within: .milliseconds(250)))
        #expect(window.admitRestart(at: .seconds(1)) == true)
        #expect(window.admitRestart(at: .milliseconds(1250) + .nanoseconds(1)) == true)
    }

    @Test("the window slides: each restart leaves it by itself")
    func slides() {
        var window = RestartWindow(.init(maxRestarts: 3, within: .seconds(5)))
        let times: [(Int, Bool)] = [
            (0, true), (2, true), (4, true), (5, false), (6, true), (7, false), (8, true), (9, false),
            (10, true),
        ]
        for (time, isAllowed) in times {
            #expect(window.admitRestart(at: .seconds(time)) == isAllowed, "at \(time) s")
        }
    }
}
