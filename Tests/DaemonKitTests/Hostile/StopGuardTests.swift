import SupervisionLock
import SupervisionTesting
import Testing

@testable import DaemonKit
@testable import Supervision

/// As a pool that is blocked and is not, by turns: whether the question is answered is what the test says.
@Suite("The guard of a stop", .timeLimit(.minutes(1)))
struct StopGuardTests {
    /// A guard that asks the test.
    private final class Guarded: Sendable {
        let clock = TestClock()
        /// The questions, each with the way to answer it.
        let asked = Recorder<@Sendable () -> Void>()
        let blames = Recorder<StopGuard.Blame>()
        let supervisor: Supervisor
        let stopGuard: StopGuard

        init(_ supervisor: Supervisor) {
            self.supervisor = supervisor
            stopGuard = StopGuard(
                supervisor,
                clock: clock,
                margin: .seconds(4),
                ask: { [asked] answer in asked.add(answer) },
                isStuck: { [blames] in blames.add($0) }
            )
        }

        /// Answers a question, counted from one, when it has been asked.
        func answer(_ number: Int) async {
            await asked.wait(forCount: number).last?()
        }

        /// Sleeps, as the guard does, and moves the clock until it wakes.
        func pass(_ duration: Duration) async {
            await clock.sleeper(dueIn: duration)
            clock.advance(by: duration)
        }

        func happen(_ kind: SupervisorEvent.Kind, in path: ChildPath = [], limit: Duration? = nil) {
            stopGuard.read(SupervisorEvent(time: .zero, supervisor: path, kind: kind, limit: limit))
        }
    }

    private func tree() -> Supervisor {
        Supervisor {
            Probe("first", shutdown: .timeout(.seconds(10)))
            Supervisor("inner") {
                Probe("a"); Probe("b", shutdown: .graceful(.seconds(30)))
            }
            Probe("last", shutdown: .immediate)
        }
    }

    @Test("a stop that nobody reacts to is stuck after the longest limit of the tree and the margin")
    func noReaction() async {
        let guarded = Guarded(tree())
        guarded.stopGuard.begin()
        // 30 s for the one who may take longest, one to be cancelled, and half of the margin.
        await guarded.pass(.seconds(33))
        await guarded.asked.wait(forCount: 1)
        #expect(guarded.blames.all == [])
        await guarded.pass(.seconds(2))
        #expect(
            await guarded.blames.wait(forCount: 1) == [
                StopGuard.Blame(stopping: [], untold: ["first", "inner/a", "inner/b", "last"])
            ]
        )
    }

    @Test("a stop that has begun is stuck after the limit of the child that is being stopped")
    func noEnd() async {
        let guarded = Guarded(tree())
        guarded.stopGuard.begin()
        guarded.happen(.stopping(.requested))
        guarded.happen(.childStopping(child: "last"), limit: .seconds(1))
        guarded.happen(.childStopped(child: "last", exit: .returned))
        guarded.happen(.childStopping(child: "inner"))
        guarded.happen(.childStopping(child: "b"), in: ["inner"], limit: .seconds(7))
        // It looks again when the first one's time would have been up.
        await guarded.pass(.seconds(3))
        await guarded.pass(.seconds(6))
        await guarded.asked.wait(forCount: 1)
        await guarded.pass(.seconds(2))
        #expect(
            await guarded.blames.wait(forCount: 1) == [
                StopGuard.Blame(stopping: ["inner/b"], untold: ["first", "inner/a"])
            ]
        )
    }

    @Test("what answers within the margin is not stuck, and is asked again only later")
    func answer() async {
        let guarded = Guarded(tree())
        guarded.stopGuard.begin()
        guarded.happen(.childStopping(child: "last"), limit: .seconds(1))
        await guarded.pass(.seconds(3))
        for number in 1...5 {
            await guarded.answer(number)
            await guarded.pass(.seconds(2))
            await guarded.pass(.seconds(2))
        }
        #expect(guarded.asked.all.count >= 5)
        #expect(guarded.blames.all == [])
        await guarded.stopGuard.end()
        #expect(guarded.clock.sleeperCount == 0)
    }

    @Test("one that has answered once and is blocked then is stuck all the same")
    func blockedLater() async {
        let guarded = Guarded(tree())
        guarded.stopGuard.begin()
        guarded.happen(.childStopping(child: "last"), limit: .seconds(1))
        await guarded.pass(.seconds(3))
        await guarded.answer(1)
        for _ in 1...3 { await guarded.pass(.seconds(2)) }
        #expect(await guarded.blames.wait(forCount: 1).first?.stopping == ["last"])
    }

    @Test("an event within the margin is an answer too, and the next child has its own time")
    func event() async {
        let guarded = Guarded(tree())
        guarded.stopGuard.begin()
        guarded.happen(.childStopping(child: "last"), limit: .seconds(1))
        await guarded.pass(.seconds(3))
        await guarded.asked.wait(forCount: 1)
        guarded.happen(.childStopped(child: "last", exit: .returned))
        guarded.happen(.childStopping(child: "first"), limit: .seconds(10))
        await guarded.pass(.seconds(2))
        await guarded.pass(.seconds(2))
        await guarded.clock.sleeper(dueIn: .seconds(8))
        #expect(guarded.blames.all == [])
        await guarded.stopGuard.end()
    }

    @Test("a machine that was asleep past every limit is asked before anything is said of it")
    func sleep() async {
        let guarded = Guarded(tree())
        guarded.stopGuard.begin()
        await guarded.clock.sleeper(dueIn: .seconds(33))
        guarded.clock.advance(by: .seconds(100_000))
        await guarded.answer(1)
        await guarded.pass(.seconds(2))
        await guarded.clock.sleeper(dueIn: .seconds(2))
        #expect(guarded.blames.all == [])
        await guarded.stopGuard.end()
    }

    @Test("where a child may take as long as it likes, nothing is stuck for its sake")
    func unlimited() async {
        let guarded = Guarded(
            Supervisor {
                Probe("first"); Probe("patient", shutdown: .infinity)
            }
        )
        guarded.stopGuard.begin()
        guarded.happen(.childStopping(child: "patient"))
        #expect(guarded.clock.sleeperCount == 0)
        guarded.happen(.childStopped(child: "patient", exit: .returned))
        guarded.happen(.childStopping(child: "first"), limit: .seconds(5))
        await guarded.clock.sleeper(dueIn: .seconds(7))
        await guarded.stopGuard.end()
    }

    @Test("nothing is watched before a stop, nor after its end")
    func notStopping() async {
        let guarded = Guarded(tree())
        guarded.happen(.childStopping(child: "last"), limit: .seconds(1))
        #expect(guarded.clock.sleeperCount == 0)
        guarded.stopGuard.begin()
        await guarded.clock.sleepers(atLeast: 1)
        await guarded.stopGuard.end()
        guarded.happen(.childStopping(child: "last"), limit: .seconds(1))
        #expect(guarded.clock.sleeperCount == 0)
    }

    @Test("who begins beside another one that is slow to begin misses nothing of the stop")
    func beginsTwice() async {
        let clock = HookedClock()
        let blames = Recorder<StopGuard.Blame>()
        let supervisor = tree()
        let stopGuard = StopGuard(
            supervisor,
            clock: clock,
            margin: .seconds(4),
            ask: { _ in },
            isStuck: { blames.add($0) }
        )
        // As the supervisor's thread, while the signal's is held up at the clock.
        clock.onceBeforeNow {
            stopGuard.begin()
            stopGuard.read(
                SupervisorEvent(
                    time: .zero,
                    supervisor: [],
                    kind: .childStopping(child: "last"),
                    limit: .seconds(1)
                )
            )
        }
        stopGuard.begin()
        await clock.wrapped.sleeper(dueIn: .seconds(3))
        clock.wrapped.advance(by: .seconds(3))
        await clock.wrapped.sleeper(dueIn: .seconds(2))
        clock.wrapped.advance(by: .seconds(2))
        #expect(await blames.wait(forCount: 1).first?.stopping == ["last"])
    }

    @Test("of very many the text names the first ten")
    func manyNames() {
        let paths = (10..<2_010).map { ChildPath(["rooms", "\($0)"]) }
        let blame = StopGuard.Blame(stopping: paths, untold: [])
        #expect(blame.description.hasSuffix("\"rooms/19\", and 1990 more"))
    }

    @Test("a supervisor that is given up takes those below it along: nobody waits for them any more")
    func givenUpSupervisor() {
        var stops = StopsUnderWay(at: .zero, longest: .seconds(30))
        func happen(_ kind: SupervisorEvent.Kind, in path: ChildPath = [], limit: Duration? = nil) {
            let event = SupervisorEvent(time: .zero, supervisor: path, kind: kind, limit: limit)
            stops.read(event, at: .seconds(1))
        }
        happen(.childStopping(child: "inner"), limit: .seconds(9))
        happen(.childStopping(child: "deeper"), in: ["inner"])
        happen(.childStopping(child: "a"), in: ["inner", "deeper"], limit: .seconds(5))
        #expect(stops.children == [["inner", "deeper", "a"]])
        #expect(stops.deadline == .seconds(6), "the first moment at which somebody must act")
        happen(.childAbandoned(child: "inner", after: .seconds(9)))
        #expect(stops.children == [])
        #expect(stops.deadline == .seconds(31), "then it may be anybody")
    }

    @Test("the longest stop is that of the longest limit, and no longer than a supervisor above allows")
    func longestStop() {
        let rooms = DynamicSupervisor("rooms", shutdown: .graceful(.seconds(8))) { (_, _: Int) in }
        #expect(Supervisor { rooms }.longestStop == .seconds(9))
        #expect(tree().longestStop == .seconds(31))
        let capped = Supervisor {
            Supervisor("inner", shutdown: .timeout(.seconds(3))) { Probe("a", shutdown: .infinity) }
        }
        #expect(capped.longestStop == .seconds(3))
        #expect(Supervisor { Probe("a", shutdown: .infinity) }.longestStop == nil)
        #expect(Supervisor {}.longestStop == .zero)
    }
}

/// A test's clock that lets something happen, once, in between as it is read.
private final class HookedClock: Clock {
    let wrapped = TestClock()
    private let hook = Locked<(@Sendable () -> Void)?>(nil)

    func onceBeforeNow(_ happen: @escaping @Sendable () -> Void) {
        hook.withLock { $0 = happen }
    }

    var now: TestClock.Instant {
        let happen = hook.withLock { hook in
            defer { hook = nil }
            return hook
        }
        happen?()
        return wrapped.now
    }

    var minimumResolution: Duration { wrapped.minimumResolution }

    func sleep(until deadline: TestClock.Instant, tolerance: Duration?) async throws {
        try await wrapped.sleep(until: deadline, tolerance: tolerance)
    }
}
