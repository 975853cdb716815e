import SupervisionTesting
import Systemd
import Testing

@testable import DaemonKit

@Suite("Daemon: what the manager is told", .timeLimit(.minutes(1)))
struct DaemonTests {
    @Test(
        "READY when all above the marker have started, then STOPPING before any child stops, then the statuses"
    )
    func story() async throws {
        let server = Probe("server", start: .whenTold)
        let after = Probe("after", start: .whenTold)
        let trial = try DaemonTrial {
            Supervisor {
                server
                ReadyMarker()
                StatusSetter(onShutdown: "drained")
                Drainer(shutdown: .seconds(10))
                StatusSetter(onStart: "serving", onShutdown: "draining")
                after
            }
        }
        await server.wait(for: .begun)
        #expect(trial.story.notifications == [], "the server has not started")
        server.start()
        try await trial.ready()
        await after.wait(for: .begun)
        after.start()
        #expect(await trial.stop() == .clean)
        try trial.story.expect(notifications: [
            "READY=1", "STATUS=serving", "STOPPING=1", "STATUS=draining", "STATUS=drained",
        ])
        #expect(after.facts.last == .ended)
    }

    @Test("a start that takes long is told after ten seconds, once, with the child that it waits for")
    func slowStart() async throws {
        let slow = Probe("slow", start: .whenTold)
        let trial = try DaemonTrial {
            Supervisor {
                Supervisor("inner") {
                    Probe("quick"); slow
                }
            }
        }
        await slow.wait(for: .begun)
        await trial.clock.sleeper(dueIn: .seconds(10))
        trial.clock.advance(by: .seconds(10))
        await trial.log.wait(forCount: 1)
        #expect(trial.log.all == ["<4>not ready after 10.0 seconds: waits for inner/slow to start"])
        slow.start()
        try await trial.ready()
        #expect(await trial.stop() == .clean)
        #expect(trial.clock.sleeperCount == 0)
    }

    @Test("STOPPING is with the manager when the first child is told to stop")
    func stoppingFirst() async throws {
        let last = Probe("last", shutdown: .graceful(.seconds(100)), ignoresStop: true)
        let trial = try DaemonTrial { Supervisor { last } }
        await last.wait(for: .started)
        trial.send(.interrupt)
        await last.wait(for: .stopRequested)
        #expect(trial.story.notifications.contains("STOPPING=1"))
        last.finish()
        #expect(await trial.end() == .clean)
        try trial.story.expect(.stopping, before: .stop(of: "last"))
    }

    @Test("without a marker READY follows the start of the whole tree")
    func noMarker() async throws {
        let last = Probe("last", start: .whenTold)
        let trial = try DaemonTrial {
            Supervisor {
                Probe("first"); last
            }
        }
        await last.wait(for: .begun)
        #expect(trial.story.notifications == [])
        last.start()
        try await trial.ready()
        #expect(await trial.stop() == .clean)
    }

    @Test("READY is sent once, also when the marker is restarted with its supervisor")
    func readyOnce() async throws {
        let worker = Probe("worker")
        let trial = try DaemonTrial {
            Supervisor {
                Supervisor("inner", intensity: .init(maxRestarts: 0, within: .seconds(1))) {
                    worker; ReadyMarker()
                }
            }
        }
        try await trial.ready()
        worker.fail(InjectedFailure())
        await worker.wait(for: .started, count: 2)
        #expect(await trial.stop() == .clean)
        try trial.story.expect(notifications: ["READY=1", "STOPPING=1"])
    }

    @Test("markers and setters survive a strategy's restart, of which the manager hears nothing")
    func strategy() async throws {
        let (above, below) = (Probe("above"), Probe("below"))
        let trial = try DaemonTrial {
            Supervisor(strategy: .restForOne) {
                above
                ReadyMarker()
                StatusSetter(onShutdown: "drained")
                Drainer()
                below
            }
        }
        await below.wait(for: .started)
        above.fail(InjectedFailure())
        await below.wait(for: .started, count: 2)
        #expect(await trial.stop() == .clean)
        try trial.story.expect(notifications: ["READY=1", "STOPPING=1", "STATUS=drained"])
    }

    @Test("a child that cannot start: no READY, a status that names it and says why, its errno, exit 69")
    func startFails() async throws {
        let trial = try DaemonTrial {
            Supervisor {
                Probe("first")
                Probe("database", start: .failing(SystemFailure(errorNumber: 13)))
                ReadyMarker()
            }
        }
        #expect(await trial.end() == .startFailed)
        try trial.story.expect(notifications: [
            "STOPPING=1", "STATUS=child \"database\" failed to start: the system refused", "ERRNO=13",
        ])
        #expect(trial.log.all.contains("<3>child \"database\" failed to start: the system refused"))
    }

    @Test("a supervisor that gives up: STOPPING, the other children's statuses, and last the reason, exit 70")
    func givesUp() async throws {
        let worker = Probe("worker")
        let trial = try DaemonTrial {
            Supervisor(intensity: .init(maxRestarts: 0, within: .seconds(1))) {
                Supervisor("inner", intensity: .init(maxRestarts: 0, within: .seconds(1))) { worker }
                StatusSetter(onShutdown: "draining")
            }
        }
        try await trial.ready()
        worker.fail(InjectedFailure("bad sector"))
        #expect(await trial.end() == .gaveUp)
        let reason =
            "STATUS=gave up on child \"inner/worker\": more than 0 restarts within 1.0 seconds: bad sector"
        try trial.story.expect(notifications: ["READY=1", "STOPPING=1", "STATUS=draining", reason])
    }

    @Test("a tree that cannot be made, or is not valid, starts nothing: exit 78")
    func configuration() async throws {
        let thrown = try DaemonTrial { throw InjectedFailure("no such file") }
        #expect(await thrown.end() == .configuration)
        try thrown.story.expect(.status("no such file"), times: 1)

        let invalid = try DaemonTrial {
            Supervisor {
                Probe("a"); Probe("a")
            }
        }
        #expect(await invalid.end() == .configuration)
        #expect(invalid.log.all.contains { $0.contains("several children called \"a\"") })
    }

    @Test("a child that will not stop: exit 75, and the process must not wait for it")
    func abandoned() async throws {
        let hung = Probe("hung", ignoresStop: true)
        let trial = try DaemonTrial { Supervisor { hung } }
        await hung.wait(for: .started)
        trial.send(.terminate)
        try await trial.story.wait(forBeginOf: .stop(of: "hung"))
        trial.clock.advance(by: .seconds(5))
        #expect(await trial.end() == .childrenAbandoned)
        #expect(DaemonRun.End(code: .childrenAbandoned, error: await trial.failure).isAnythingRunning)
        try trial.story.expect(.status("still running after its time was up: \"hung\""), times: 1)
        hung.finish()
        await hung.wait(for: .ended)
    }

    @Test("a second signal cuts the stop short")
    func secondSignal() async throws {
        let hung = Probe("hung", ignoresStop: true)
        let trial = try DaemonTrial { Supervisor { hung } }
        await hung.wait(for: .started)
        trial.send(.terminate)
        try trial.story.expect(.cutShort, times: 0)
        trial.send(.interrupt)
        try trial.story.expect("cut short by SIGINT", times: 1)
        await hung.wait(for: .cancelled)
        hung.finish()
        #expect(await trial.end() == .clean)
    }

    @Test("a signal that comes before the tree is there starts nothing")
    func earlySignal() async throws {
        let child = Probe("child")
        let trial = try DaemonTrial(signals: [.terminate]) { Supervisor { child } }
        #expect(await trial.end() == .clean)
        #expect(child.facts == [])
    }

    @Test("without a manager everything runs the same")
    func noManager() async throws {
        let child = Probe("child")
        let trial = try DaemonTrial(variables: ["NOTIFY_SOCKET": ""]) {
            Supervisor {
                child
                ReadyMarker()
                StatusSetter(onStart: "up", onShutdown: "down")
                Drainer()
            }
        }
        await child.wait(for: .started)
        #expect(await trial.stop() == .clean)
        #expect(trial.story.notifications == [])
    }

    @Test("malformed variables are told in the log, and otherwise as good as absent")
    func problems() async throws {
        let child = Probe("child")
        let trial = try DaemonTrial(variables: ["WATCHDOG_USEC": "soon"]) { Supervisor { child } }
        await child.wait(for: .started)
        #expect(await trial.stop() == .clean)
        #expect(trial.log.all.contains { $0.hasPrefix("<4>") && $0.contains("WATCHDOG_USEC") })
    }

    @Test("failures and restarts are in the log, with their priorities")
    func log() async throws {
        let child = Probe("child")
        let trial = try DaemonTrial { Supervisor { child } }
        await child.wait(for: .started)
        child.fail(InjectedFailure("one\ntwo"))
        await child.wait(for: .started, count: 2)
        #expect(await trial.stop() == .clean)
        #expect(
            trial.log.all == [
                "<6>supervisor started", "<4>child failed: one", "<4>two",
                "<4>child restarting, 1 time so far",
                "<6>SIGTERM: stopping", "<6>supervisor stopping: requested", "<6>supervisor stopped",
            ]
        )
    }

    @Test("a look writes the tree to the log, line by line")
    func look() async throws {
        let child = Probe("child")
        let slow = Probe("slow", start: .whenTold)
        let trial = try DaemonTrial {
            Supervisor {
                Supervisor("inner") {
                    child
                    slow
                }
            }
        }
        await slow.wait(for: .begun)
        trial.clock.advance(by: .seconds(2))
        trial.send(.user1)
        await trial.log.wait(forCount: 5)
        #expect(
            trial.log.all == [
                "<6>SIGUSR1: the tree is",
                "<6>supervisor (one for one) starting for 2.0 seconds, waits for inner to start",
                "<6>└─ inner (one for one) starting for 2.0 seconds, waits for inner/slow to start",
                "<6>   ├─ child running for 2.0 seconds",
                "<6>   └─ slow starting for 2.0 seconds",
            ]
        )
        await trial.stop()
    }

    @Test("a look before there is a tree says so")
    func lookEarly() async throws {
        let log = Recorder<String>()
        let run = DaemonRun(
            environment: ServiceEnvironment(variables: [:]),
            log: DaemonLog { log.add($0.prefixed($1)) },
            cutShort: { _ in }
        )
        run.look()
        await log.wait(forCount: 1)
        #expect(log.all == ["<6>SIGUSR1: there is no tree yet"])
    }

    @Test("whoever says when it stops that the service is ready says it to nobody")
    func lateReady() async throws {
        let isToldNobody = Recorder<Bool>()
        let slow = Probe("slow", start: .whenTold)
        let trial = try DaemonTrial(manager: FakeServiceManager(watchdog: .seconds(10))) {
            Supervisor {
                ChildSpec("late", shutdown: .graceful(.seconds(5))) { child in
                    child.started()
                    await child.shutdownRequested()
                    isToldNobody.add(child.daemon.announceReady() == nil)
                }
                slow
            }
        }
        await slow.wait(for: .begun)
        #expect(await trial.stop() == .clean)
        #expect(isToldNobody.all == [true])
        try trial.story.expect(notifications: ["STOPPING=1"])
        try trial.story.expect(.ping, times: 0)
    }
}
