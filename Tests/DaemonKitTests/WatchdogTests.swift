import Supervision
import SupervisionLock
import SupervisionTesting
import Systemd
import Testing

@testable import DaemonKit

@Suite("Watchdog pinger")
struct WatchdogPingerTests {
    private let watchdog = ["WATCHDOG_USEC": "10000000"]

    @Test("the first ping follows READY at once, the next ones come at half the timeout")
    func rhythm() async throws {
        let child = Probe("child", start: .whenTold)
        let clock = TestClock()
        let trial = try DaemonTrial(variables: watchdog) { Supervisor(clock: clock) { child } }
        await child.wait(for: .begun)
        #expect(trial.lines == [], "no ping before READY")
        child.start()
        #expect(try await trial.manager.next().lines == ["READY=1"])
        #expect(try await trial.manager.next().lines == ["WATCHDOG=1"])
        for _ in 1...5 {
            await clock.sleepers(atLeast: 1)
            let count = trial.lines.count
            clock.advance(by: .milliseconds(4_999))
            #expect(trial.lines.count == count)
            clock.advance(by: .milliseconds(1))
            #expect(try await trial.manager.next().lines == ["WATCHDOG=1"])
        }
        trial.run.receive(.terminate)
        #expect(await trial.end().code == .clean)
        #expect(clock.sleeperCount == 0, "the pinger is gone")
    }

    @Test("no ping goes out when the manager does not ask for it")
    func notAsked() async throws {
        let clock = TestClock()
        let trial = try DaemonTrial { Supervisor(clock: clock) { Probe("child") } }
        _ = try await trial.manager.next(with: "READY=1")
        trial.run.receive(.terminate)
        #expect(await trial.end().code == .clean)
        #expect(!trial.lines.contains("WATCHDOG=1"))
    }

    @Test("no ping goes out when the supervisor does not answer")
    func supervisorDoesNotAnswer() async throws {
        let manager = try FakeServiceManager()
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

@Suite("Health checks")
struct HealthCheckTests {
    private let watchdog = ["WATCHDOG_USEC": "8000000"]

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
        let clock = TestClock()
        let answer = Locked<Result<Bool, Failure>>(.success(true))
        let trial = try DaemonTrial(variables: watchdog) { [self] in
            Supervisor("top", clock: clock) {
                child("well") { true }
                Supervisor("inner") {
                    child("moody") { try answer.withLock { $0 }.get() }
                }
            }
        }
        _ = try await trial.manager.next(with: "WATCHDOG=1")
        await clock.sleepers(atLeast: 1)
        for (health, line) in [
            (Result<Bool, Failure>.success(false), "inner/moody is not well"),
            (.failure(Failure("no disk")), "inner/moody is not well: no disk"),
        ] {
            let logged = trial.logged.all.count
            answer.withLock { $0 = health }
            clock.advance(by: .seconds(4))
            await trial.logged.wait(forCount: logged + 1)
            #expect(trial.logged.all.last == "<3>no sign of life for the manager: \(line)")
            await clock.sleepers(atLeast: 1)
        }
        #expect(trial.lines.count { $0 == "WATCHDOG=1" } == 1)
        answer.withLock { $0 = .success(true) }
        clock.advance(by: .seconds(4))
        _ = try await trial.manager.next(with: "WATCHDOG=1")
        trial.run.receive(.terminate)
        _ = await trial.end()
        #expect(trial.logged.all.contains("<5>all well again: the manager has its sign of life"))
    }

    @Test(
        "a check that does not answer in a quarter of the time-out holds it back, and is not made twice at once"
    )
    func tooSlow() async throws {
        let clock = TestClock()
        let gate = Gate()
        let calls = Locked(0)
        let trial = try DaemonTrial(variables: watchdog) { [self] in
            Supervisor(clock: clock) {
                child("slow") {
                    calls.withLock { $0 += 1 }
                    try await gate.wait()
                    return true
                }
            }
        }
        _ = try await trial.manager.next(with: "READY=1")
        for round in 1...2 {
            let logged = trial.logged.all.count
            await clock.sleepers(atLeast: 1)
            clock.advance(by: .seconds(2))
            await trial.logged.wait(forCount: round == 1 ? 2 : logged + 1)
            #expect(
                trial.logged.all.last
                    == "<3>no sign of life for the manager: slow has not answered in 2.0 seconds"
            )
            await clock.sleepers(atLeast: 1)
            if round == 1 { clock.advance(by: .seconds(4)) }
        }
        #expect(calls.withLock { $0 } == 1)
        gate.open()
        trial.run.receive(.terminate)
        _ = await trial.end()
        #expect(!trial.lines.contains("WATCHDOG=1"))
    }

    @Test("signs of life can be paused, given by hand, resumed, triggered, and asked for less often")
    func byHand() async throws {
        let clock = TestClock()
        let context = Locked<DaemonContext?>(nil)
        let trial = try DaemonTrial(variables: watchdog) {
            Supervisor(clock: clock) {
                ChildSpec("child") { child in
                    context.withLock { $0 = child.daemon }
                    child.started()
                    await child.shutdownRequested()
                }
            }
        }
        _ = try await trial.manager.next(with: "WATCHDOG=1")
        await clock.sleepers(atLeast: 1)
        let dog = try #require(context.withLock { $0?.watchdog })
        context.withLock { $0 = nil }
        #expect(dog.timeout == .seconds(8))

        dog.pause()
        clock.advance(by: .seconds(4))
        await clock.sleepers(atLeast: 1)
        dog.ping()
        _ = try await trial.manager.next(with: "WATCHDOG=1")
        dog.resume()
        _ = try await trial.manager.next(with: "WATCHDOG=1")
        dog.trigger()
        _ = try await trial.manager.next(with: "WATCHDOG=trigger")
        dog.setTimeout(.zero)
        dog.setTimeout(.seconds(2))
        _ = try await trial.manager.next(with: "WATCHDOG_USEC=2000000")
        _ = try await trial.manager.next(with: "WATCHDOG=1")
        await clock.sleepers(atLeast: 1)
        clock.advance(by: .seconds(1))
        _ = try await trial.manager.next(with: "WATCHDOG=1")
        trial.run.receive(.terminate)
        _ = await trial.end()
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
        _ = try await trial.manager.next(with: "READY=1")
        trial.run.receive(.terminate)
        _ = await trial.end()
        let lines = trial.lines.filter { !$0.hasPrefix("EXTEND_TIMEOUT_USEC") }
        #expect(lines == ["WATCHDOG=trigger", "READY=1", "STOPPING=1"])
        #expect(calls.withLock { $0 } == 0)
    }
}
