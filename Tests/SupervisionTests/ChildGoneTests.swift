import Supervision
import SupervisionTesting
import Testing

@Suite("Child reference: gone for good")
struct ChildGoneTests {
    /// How a child can be gone for good while its supervisor goes on.
    enum Way: CaseIterable {
        case returned, terminated, deleted, givenUp, refused, dropped, startFailed, nestedGone
    }

    @Test("whoever waits is told, and so is whoever comes later", arguments: Way.allCases)
    func gone(way: Way) async throws {
        let publisher = PublishingProbe<Int>(
            "publisher",
            restart: way == .returned ? .transient : way == .dropped ? .temporary : .permanent
        )
        let reference = publisher.reference
        let (bad, leaf) = (Probe("bad"), Probe("leaf"))
        let trial = SupervisorTrial(
            Supervisor(strategy: way == .dropped ? .oneForAll : .oneForOne) {
                switch way {
                case .returned, .terminated, .deleted:
                    publisher
                case .givenUp:
                    publisher.limit(maxRestarts: 0, within: .seconds(1))
                case .refused:
                    publisher.onFailure { _ in .giveUpChild }
                case .dropped:
                    bad
                    publisher
                case .startFailed:
                    Probe("other")
                case .nestedGone:
                    Supervisor("inner", intensity: .init(maxRestarts: 0, within: .seconds(1))) {
                        publisher; leaf
                    }
                    .limit(maxRestarts: 0, within: .seconds(1))
                }
            }
        )
        let supervisor = trial.supervisor
        publisher.publish(1)
        try await trial.started()
        if way != .startFailed { #expect(try await reference.value == 1) }
        switch way {
        case .returned:
            publisher.finish()
        case .terminated:
            try await supervisor.terminateChild("publisher")
        case .deleted:
            try await supervisor.terminateChild("publisher")
            try await supervisor.deleteChild("publisher")
        case .givenUp, .refused:
            publisher.fail(InjectedFailure("bad sector"))
        case .dropped:
            bad.fail()
        case .startFailed:
            let failing = PublishingProbe<Int>("failing")
            failing.fail(InjectedFailure("bad sector"))
            let reader = begun { try await failing.reference.value }
            #expect(await code { try await supervisor.startChild(failing) } == .childFailedToStart)
            let error = await #expect(throws: SupervisorError.self) { try await reader.value }
            #expect(error?.code == .childGone)
            #expect(error?.underlying as? InjectedFailure == InjectedFailure("bad sector"))
            #expect(await trial.stop() == nil)
            return
        case .nestedGone:
            leaf.fail(InjectedFailure("bad sector"))
        }
        try await trial.story.wait(for: .line(end(way)))
        #expect(await supervisor.ping())
        let error = await #expect(throws: SupervisorError.self) { try await reference.value }
        #expect(error?.code == .childGone)
        #expect(error?.path == (way == .nestedGone ? ["inner", "publisher"] : ["publisher"]))
        if way == .givenUp || way == .refused {
            #expect(error?.underlying as? InjectedFailure == InjectedFailure("bad sector"))
        }
        #expect(await trial.stop() == nil)
    }

    private func end(_ way: Way) -> String {
        switch way {
        case .returned: "publisher returned"
        case .terminated, .startFailed: "publisher stopped"
        case .deleted: "publisher deleted"
        case .givenUp, .refused: "publisher given up, not started again: bad sector"
        case .dropped: "publisher dropped, a temporary child does not come back"
        case .nestedGone:
            "inner given up, not started again: gave up on child \"inner/leaf\": "
                + "more than 0 restarts within 1.0 seconds: bad sector"
        }
    }

    /// Reads as soon as it has started, before anything below it is there.
    private func reader(of reference: ChildReference<Int>, _ seen: Recorder<Int>) -> ChildSpec {
        ChildSpec("reader") { child in
            child.started()
            seen.add(try await reference.value)
            await child.shutdownRequested()
        }
    }

    @Test("in a later run of the tree it is waited for again")
    func laterRun() async throws {
        let (reference, seen) = (ChildReference<Int>(), Recorder<Int>())
        let slow = Probe("slow")
        let supervisor = Supervisor {
            reader(of: reference, seen)
            slow
            Supervisor("inner") { PublishingProbe("publisher", publishing: reference, start: .publishing(1)) }
        }
        for run in 1...2 {
            slow.nextStart(.whenTold)
            let trial = PlainRun(supervisor)
            await slow.wait(for: .begun, count: run)
            slow.start()
            await seen.wait(for: 1, count: run)
            try await trial.started()
            #expect(await trial.stop() == nil)
            try trial.story.expect(.failure(of: "reader"), times: 0)
        }
    }

    @Test("one that has returned is waited for again when it comes back with its row, or its supervisor")
    func comesBack() async throws {
        for isRow in [true, false] {
            let (reference, seen) = (ChildReference<Int>(), Recorder<Int>())
            let failing = Probe("failing")
            let strategy = isRow ? Strategy.oneForAll : .oneForOne
            let restarts = RestartIntensity(maxRestarts: isRow ? 1 : 0, within: .seconds(1))
            let trial = PlainRun(
                Supervisor {
                    Supervisor("inner", strategy: strategy, intensity: restarts) {
                        reader(of: reference, seen)
                        ChildSpec("publisher", publishing: reference, restart: .transient) { $0.started(1) }
                        failing
                    }
                }
            )
            try await trial.started()
            try await trial.story.wait(for: .end(of: "inner/publisher"))
            failing.fail()
            try await trial.story.wait(for: .end(of: "inner/publisher"), count: 2)
            await seen.wait(for: 1, count: 2)
            #expect(await trial.stop() == nil)
            try trial.story.expect(.failure(of: "inner/reader"), times: 0)
        }
    }

    @Test("a child that runs cannot be added once more, and keeps what it has published")
    func addedTwice() async throws {
        let publisher = PublishingProbe("publisher", start: .publishing(1))
        let inner = Supervisor("inner") { publisher }
        let trial = SupervisorTrial(Supervisor { inner })
        try await trial.started()
        for var spec in [inner.childSpec, publisher.childSpec] {
            spec.id += " again"
            let error = await #expect(throws: SupervisorError.self) {
                try await trial.supervisor.startChild(spec)
            }
            #expect(error?.code == .invalidTree)
            #expect(
                error?.details == [
                    "child \"\(spec.id)\" runs already, under another id: make one for each place"
                ]
            )
        }
        #expect(await code { try await trial.supervisor.startChild(inner) } == .alreadyStarted)
        #expect(publisher.reference.current == 1)
        #expect(await trial.stop() == nil)
    }

    @Test("a reader that waits when the child is given up gets the error")
    func waiting() async throws {
        let publisher = PublishingProbe<Int>("publisher")
        let reference = publisher.reference
        let trial = SupervisorTrial(Supervisor { publisher.limit(maxRestarts: 1, within: .seconds(9)) })
        publisher.publish(1)
        try await trial.started()
        publisher.fail()
        try await trial.story.wait(forBeginOf: .start(of: "publisher"), count: 2)
        let readers = (0..<10).map { _ in begun { try await reference.value } }
        publisher.fail(InjectedFailure("bad sector"))
        for reader in readers { #expect(await reader.outcome == "childGone") }
        #expect(await trial.stop() == nil)
    }

    @Test("when the tree ends, in whatever way, every reader is told")
    func treeEnds() async throws {
        let (first, second) = (PublishingProbe<Int>("first"), PublishingProbe<Int>("second"))
        let references = (first.reference, second.reference)
        let bad = Probe("bad")
        let trial = SupervisorTrial(
            Supervisor(intensity: .init(maxRestarts: 0, within: .seconds(1))) {
                bad
                Supervisor("inner") { first }
                second
            }
        )
        first.publish(1)
        try await trial.story.wait(forBeginOf: .start(of: "second"))
        let reader = begun { try await references.1.value }
        bad.fail()
        #expect(await trial.end()?.code == .gaveUp)
        #expect(await reader.outcome == "childGone")
        #expect(await begun { try await references.0.value }.outcome == "childGone")
    }

    @Test("a tree that is stopped before it runs tells every reader")
    func stoppedBefore() async {
        let publisher = PublishingProbe<Int>("publisher")
        let reference = publisher.reference
        let supervisor = Supervisor { Supervisor("inner") { publisher } }
        let reader = begun { try await reference.value }
        supervisor.stop()
        #expect(await SupervisorTrial(supervisor).end() == nil)
        #expect(await reader.outcome == "childGone")
    }

    @Test("a tree that is not valid and so never runs tells every reader")
    func invalidTree() async {
        let publisher = PublishingProbe<Int>("publisher")
        let reference = publisher.reference
        let reader = begun { try await reference.value }
        let trial = SupervisorTrial(
            Supervisor {
                Supervisor("inner") { publisher }
                Probe("")
            }
        )
        #expect(await trial.end()?.code == .invalidTree)
        #expect(await reader.outcome == "childGone")
    }

    @Test("a child that was terminated and is restarted by hand is there again")
    func backAgain() async throws {
        let publisher = PublishingProbe<Int>("publisher")
        let reference = publisher.reference
        let trial = SupervisorTrial(Supervisor { publisher })
        publisher.publish(1)
        try await trial.started()
        try await trial.supervisor.terminateChild("publisher")
        #expect(await begun { try await reference.value }.outcome == "childGone")
        let restart = begun { try await trial.supervisor.restartChild("publisher") }
        try await trial.story.wait(forBeginOf: .start(of: "publisher"), count: 2)
        #expect(await trial.supervisor.ping())
        let reader = begun { try await reference.value }
        publisher.publish(2)
        #expect(await reader.outcome == "2")
        #expect(await restart.outcome == "started")
        #expect(await trial.stop() == nil)
    }

    @Test("a supervisor that is started again brings its children's references back")
    func nestedBackAgain() async throws {
        let leaf = Probe("leaf")
        let publisher = PublishingProbe<Int>("publisher")
        let reference = publisher.reference
        let trial = SupervisorTrial(
            Supervisor {
                Supervisor("inner", intensity: .init(maxRestarts: 0, within: .seconds(1))) {
                    publisher; leaf
                }
            }
        )
        publisher.publish(1)
        try await trial.started()
        leaf.fail()
        try await trial.story.wait(forBeginOf: .start(of: "inner/publisher"), count: 2)
        let reader = begun { try await reference.value }
        publisher.publish(2)
        #expect(await reader.outcome == "2")
        #expect(await trial.stop() == nil)
    }

    @Test("while a supervisor waits to be started again, readers of its children wait")
    func nestedWaits() async throws {
        let leaf = Probe("leaf")
        let publisher = PublishingProbe<Int>("publisher")
        let reference = publisher.reference
        let trial = SupervisorTrial(
            Supervisor {
                Supervisor("inner", intensity: .init(maxRestarts: 0, within: .seconds(1))) {
                    publisher; leaf
                }
                .backoff(.constant(.seconds(9)))
            }
        )
        publisher.publish(1)
        try await trial.started()
        leaf.fail()
        try await trial.story.wait(for: "inner restarting in 9.0 seconds, 1 time so far")
        let reader = begun { try await reference.value }
        trial.clock.advance(by: .seconds(9))
        publisher.publish(2)
        #expect(await reader.outcome == "2")
        #expect(await trial.stop() == nil)
    }

    @Test("a child added to a nested supervisor is gone when that one starts again")
    func addedToNested() async throws {
        let leaf = Probe("leaf")
        let added = PublishingProbe<Int>("added")
        let reference = added.reference
        let inner = Supervisor("inner", intensity: .init(maxRestarts: 0, within: .seconds(1))) { leaf }
        let trial = SupervisorTrial(Supervisor { inner })
        try await trial.started()
        added.publish(1)
        try await inner.startChild(added)
        #expect(try await reference.value == 1)
        leaf.fail()
        try await trial.story.wait(for: .start(of: "inner"), count: 2)
        #expect(await begun { try await reference.value }.outcome == "childGone")
        #expect(await trial.stop() == nil)
    }

    /// What can be asked about a child that is down only because a sibling waits for its backoff.
    enum Asked: CaseIterable { case terminate, delete }

    @Test("a child taken down with a sibling, and then out for good, is gone", arguments: Asked.allCases)
    func takenOutWhileDown(asked: Asked) async throws {
        let bad = Probe("bad")
        let publisher = PublishingProbe<Int>("publisher")
        let reference = publisher.reference
        let trial = SupervisorTrial(
            Supervisor(strategy: .oneForAll) {
                bad.backoff(.constant(.seconds(9)))
                publisher
            }
        )
        publisher.publish(1)
        try await trial.started()
        bad.fail()
        try await trial.story.wait(for: .stop(of: "publisher"))
        let reader = begun { try await reference.value }
        switch asked {
        case .terminate: try await trial.supervisor.terminateChild("publisher")
        case .delete: try await trial.supervisor.deleteChild("publisher")
        }
        #expect(await reader.outcome == "childGone")
        trial.clock.advance(by: .seconds(9))
        await bad.wait(for: .started, count: 2)
        #expect(publisher.copies.count == 1)
        #expect(await trial.stop() == nil)
    }
}
