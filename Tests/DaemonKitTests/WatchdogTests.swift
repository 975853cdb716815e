import Supervision
import SupervisionLock
import SupervisionTesting
import Systemd
import Testing

@testable import DaemonKit

@Suite("Watchdog pinger", .timeLimit(.minutes(1)))
struct WatchdogPingerTests {
    private let manager: FakeServiceManager

    init() throws {
        manager = try FakeServiceManager(watchdog: .seconds(10))
    }

    @Test("the first ping follows READY at once, the next ones come at half the timeout")
    func rhythm() async throws {
        let child = Probe("child", start: .whenTold)
        let trial = try DaemonTrial(manager: manager) { Supervisor { child } }
        await child.wait(for: .begun)
        #expect(trial.story.notifications == [], "no ping before READY")
        child.start()
        #expect(try await trial.manager.next().lines == ["READY=1"])
        #expect(try await trial.manager.next().lines == ["WATCHDOG=1"])
        for _ in 1...5 {
            await trial.clock.sleeper(dueIn: .seconds(5))
            let count = trial.story.notifications.count
            trial.clock.advance(by: .milliseconds(4_999))
            #expect(trial.story.notifications.count == count)
            trial.clock.advance(by: .milliseconds(1))
            #expect(try await trial.manager.next().lines == ["WATCHDOG=1"])
        }
        #expect(await trial.stop() == .clean)
        #expect(trial.clock.sleeperCount == 0, "the pinger is gone")
    }

    @Test("no ping goes out when the manager does not ask for it")
    func notAsked() async throws {
        let trial = try DaemonTrial { Supervisor { Probe("child") } }
        try await trial.ready()
        #expect(await trial.stop() == .clean)
        try trial.story.expect(.ping, times: 0)
    }

    @Test("no ping goes out when the supervisor does not answer")
    func supervisorDoesNotAnswer() async throws {
        let clock = TestClock()
        let notifier = Notifier(address: manager.address)
        let pinger = WatchdogPinger(
            watchdog: Watchdog(WatchdogSettings(timeout: .seconds(2)), notifier: notifier),
            checks: HandlerRegistry(),
            clock: clock,
            notifier: notifier,
            log: DaemonLog()
        )
        await pinger.run(watching: Supervisor {})
        #expect(manager.received.isEmpty)
        #expect(clock.sleeperCount == 0)
    }
}

@Suite("Health checks", .timeLimit(.minutes(1)))
struct HealthCheckTests {
    private let manager: FakeServiceManager

    init() throws {
        manager = try FakeServiceManager(watchdog: .seconds(8))
    }

    /// A child whose health is what the test says.
    private func child(_ id: String, _ health: @escaping HealthCheck) -> ChildSpec {
        ChildSpec(id) { child in
            child.healthCheck(health)
            child.started()
            await child.shutdownRequested()
        }
    }

    @Test("a sign of life is given only while every check answers true, and who does not is named")
    func answers() async throws {
        let answer = Locked<Result<Bool, InjectedFailure>>(.success(true))
        let trial = try DaemonTrial(manager: manager) { [self] in
            Supervisor("top") {
                child("well") { true }
                Supervisor("inner") {
                    child("moody") { try answer.withLock { $0 }.get() }
                }
            }
        }
        try await trial.story.wait(for: .ping)
        await trial.clock.sleeper(dueIn: .seconds(4))
        for (health, line) in [
            (Result<Bool, InjectedFailure>.success(false), "inner/moody is not well"),
            (.failure(InjectedFailure("no disk")), "inner/moody is not well: no disk"),
        ] {
            let logged = trial.log.all.count
            answer.withLock { $0 = health }
            trial.clock.advance(by: .seconds(4))
            await trial.log.wait(forCount: logged + 1)
            #expect(trial.log.all.last == "<3>no sign of life for the manager: \(line)")
            await trial.clock.sleeper(dueIn: .seconds(4))
        }
        try trial.story.expect(.ping, times: 1)
        answer.withLock { $0 = .success(true) }
        trial.clock.advance(by: .seconds(4))
        try await trial.story.wait(for: .ping, count: 2)
        await trial.stop()
        #expect(trial.log.all.contains("<5>all well again: the manager has its sign of life"))
    }

    @Test(
        "a check that does not answer in a quarter of the time-out holds it back, and is not made twice at once"
    )
    func tooSlow() async throws {
        let gate = Gate()
        let calls = Locked(0)
        let trial = try DaemonTrial(manager: manager) { [self] in
            Supervisor {
                child("slow") {
                    calls.withLock { $0 += 1 }
                    try await gate.waitUnlessCancelled()
                    return true
                }
            }
        }
        try await trial.ready()
        for round in 1...2 {
            let logged = trial.log.all.count
            await trial.clock.sleeper(dueIn: .seconds(2))
            trial.clock.advance(by: .seconds(2))
            await trial.log.wait(forCount: round == 1 ? 2 : logged + 1)
            #expect(
                trial.log.all.last
                    == "<3>no sign of life for the manager: slow has not answered in 2.0 seconds"
            )
            await trial.clock.sleeper(dueIn: .seconds(4))
            if round == 1 { trial.clock.advance(by: .seconds(4)) }
        }
        #expect(calls.withLock { $0 } == 1)
        gate.open()
        await trial.stop()
        try trial.story.expect(.ping, times: 0)
    }

    @Test("signs of life can be paused, given by hand, resumed, triggered, and asked for less often")
    func byHand() async throws {
        let context = Locked<DaemonContext?>(nil)
        let trial = try DaemonTrial(manager: manager) {
            Supervisor {
                ChildSpec("child") { child in
                    context.withLock { $0 = child.daemon }
                    child.started()
                    await child.shutdownRequested()
                }
            }
        }
        try await trial.story.wait(for: .ping)
        await trial.clock.sleeper(dueIn: .seconds(4))
        let dog = try #require(context.withLock { $0?.watchdog })
        context.withLock { $0 = nil }
        #expect(dog.timeout == .seconds(8))

        dog.pause()
        trial.clock.advance(by: .seconds(4))
        await trial.clock.sleeper(dueIn: .seconds(4))
        dog.ping()
        try await trial.story.wait(for: .ping, count: 2)
        dog.resume()
        try await trial.story.wait(for: .ping, count: 3)
        dog.trigger()
        try await trial.story.wait(for: .notification("WATCHDOG=trigger"))
        dog.setTimeout(.zero)
        dog.setTimeout(.seconds(2))
        try await trial.story.wait(for: .notification("WATCHDOG_USEC=2000000"))
        try await trial.story.wait(for: .ping, count: 4)
        await trial.clock.sleeper(dueIn: .seconds(1))
        trial.clock.advance(by: .seconds(1))
        try await trial.story.wait(for: .ping, count: 5)
        await trial.stop()
    }

    @Test("without a watchdog no check is made, and nothing but a trigger is sent")
    func noWatchdog() async throws {
        let calls = Locked(0)
        let trial = try DaemonTrial { [self] in
            Supervisor {
                child("child") {
                    calls.withLock { $0 += 1 }
                    return true
                }
                ChildSpec("other") { child in
                    let dog = child.daemon.watchdog
                    dog.ping()
                    dog.setTimeout(.seconds(1))
                    dog.resume()
                    #expect(dog.timeout == nil)
                    dog.trigger()
                    child.started()
                    await child.shutdownRequested()
                }
            }
        }
        try await trial.ready()
        await trial.stop()
        try trial.story.expect(notifications: ["WATCHDOG=trigger", "READY=1", "STOPPING=1"])
        try trial.story.expect(.ping, times: 0)
        #expect(calls.withLock { $0 } == 0)
    }

    /// A daemon whose first round of checks is under way until the gate is opened, and its watchdog.
    private func heldInACheck(by gate: Gate) async throws -> (DaemonTrial, Watchdog) {
        let asked = Recorder<Watchdog>()
        let trial = try DaemonTrial(manager: manager) {
            Supervisor {
                ChildSpec("slow") { child in
                    child.healthCheck { [dog = child.daemon.watchdog] in
                        asked.add(dog)
                        try await gate.waitUnlessCancelled()
                        return true
                    }
                    child.started()
                    await child.shutdownRequested()
                }
            }
        }
        return (trial, try #require(await asked.wait(forCount: 1).first))
    }

    @Test("news that come while checks are made count at once: another time-out, or that it is resumed")
    func newsDuringChecks() async throws {
        let gate = Gate()
        let (trial, dog) = try await heldInACheck(by: gate)
        dog.setTimeout(.seconds(2))
        gate.open()
        await trial.clock.sleeper(dueIn: .seconds(1))
        await trial.stop()
        #expect(dog.timeout == .seconds(2))
        try trial.story.expect(.ping, times: 2)
    }

    @Test("one who resumes while checks are made has a sign of life given at once afterwards")
    func resumedDuringChecks() async throws {
        let gate = Gate()
        let (trial, dog) = try await heldInACheck(by: gate)
        dog.pause()
        dog.resume()
        gate.open()
        try await trial.story.wait(for: .ping, count: 2)
        await trial.stop()
    }
}
