import Supervision
import SupervisionTesting
import Testing

@testable import DaemonKit

@Suite("The manager's patience", .timeLimit(.minutes(1)))
struct ManagerPatienceTests {
    /// How much time the manager was asked for, each time, in milliseconds.
    private func asked(_ trial: DaemonTrial) -> [Int] {
        trial.manager.received.compactMap { $0["EXTEND_TIMEOUT_USEC"].flatMap { Int($0) } }.map { $0 / 1000 }
    }

    /// Waits for the next request, and gives its milliseconds.
    private func next(_ trial: DaemonTrial) async throws -> Int {
        while true {
            let message = try await trial.manager.next()
            if let amount = message["EXTEND_TIMEOUT_USEC"].flatMap({ Int($0) }) { return amount / 1000 }
        }
    }

    // MARK: - Starting

    @Test("a start with a limit has the manager wait for as long, a slice at a time")
    func slowStart() async throws {
        let slow = Probe("slow", shutdown: .timeout(.seconds(4)), start: .whenTold)
        let trial = try DaemonTrial {
            Supervisor { slow.startTimeout(.seconds(20)) }
        }
        // 20 s to start, 4 s to be cancelled, and one to act on that: 25 s in all.
        #expect(try await next(trial) == 10_000)
        trial.clock.advance(by: .seconds(5))
        #expect(try await next(trial) == 10_000)
        trial.clock.advance(by: .seconds(5))
        #expect(try await next(trial) == 10_000)
        trial.clock.advance(by: .seconds(5))
        #expect(try await next(trial) == 10_000, "up to the end")
        slow.start()
        try await trial.ready()
        trial.clock.advance(by: .seconds(100))
        #expect(asked(trial) == [10_000, 10_000, 10_000, 10_000], "nothing is asked for after that")
        #expect(await trial.stop() == .clean)
    }

    @Test("the last slice ends where the tree's limit does")
    func lastSlice() async throws {
        let slow = Probe("slow", shutdown: .timeout(.seconds(1)), start: .whenTold)
        let trial = try DaemonTrial {
            Supervisor { slow.startTimeout(.seconds(10)) }
        }
        #expect(try await next(trial) == 10_000)
        trial.clock.advance(by: .seconds(5))
        #expect(try await next(trial) == 7_000)
        trial.clock.advance(by: .milliseconds(4_999))
        #expect(asked(trial).count == 2)
        trial.clock.advance(by: .milliseconds(1))
        #expect(await trial.end() == .startFailed)
    }

    @Test("a start without a limit of its own has the manager's, also after one that had one")
    func unlimitedStart() async throws {
        let (first, second) = (Probe("first", start: .whenTold), Probe("second", start: .whenTold))
        let trial = try DaemonTrial {
            Supervisor {
                first.startTimeout(.seconds(60))
                second
            }
        }
        #expect(try await next(trial) == 10_000)
        first.start()
        await second.wait(for: .begun)
        // What is left of the first one's time is not used for the second.
        trial.clock.advance(by: .seconds(5))
        second.start()
        try await trial.ready()
        #expect(asked(trial) == [10_000])
        #expect(await trial.stop() == .clean)
    }

    @Test("a child within a supervisor that is to start in time has no longer than that")
    func nestedStart() async throws {
        let slow = Probe("slow", start: .whenTold)
        let trial = try DaemonTrial {
            Supervisor {
                Supervisor("inner") { slow.startTimeout(.seconds(60)) }.startTimeout(.seconds(5))
            }
        }
        #expect(try await next(trial) == 6_000)
        await slow.wait(for: .begun)
        slow.start()
        try await trial.ready()
        #expect(asked(trial) == [6_000])
        #expect(await trial.stop() == .clean)
    }

    @Test("once the service is ready nothing is asked for, whatever is started again or stopped")
    func running() async throws {
        let probe = Probe("probe")
        let trial = try DaemonTrial {
            Supervisor {
                ReadyMarker()
                probe.startTimeout(.seconds(60))
            }
        }
        await probe.wait(for: .started)
        probe.fail(InjectedFailure())
        await probe.wait(for: .started, count: 2)
        try await trial.ready()
        #expect(asked(trial) == [])
        #expect(await trial.stop() == .clean)
    }

    // MARK: - Stopping

    @Test("each child's own limit is asked for when it is told to stop, after STOPPING=1")
    func stop() async throws {
        let a = Probe("a", shutdown: .timeout(.seconds(2)), ignoresStop: true)
        let b = Probe("b", shutdown: .graceful(.seconds(3)), ignoresStop: true)
        let trial = try DaemonTrial {
            Supervisor {
                a; b
            }
        }
        try await trial.ready()
        trial.send(.terminate)
        // 3 s to be asked, one to be cancelled, one to act on that.
        #expect(try await next(trial) == 5_000)
        await b.wait(for: .stopRequested)
        trial.clock.advance(by: .seconds(3))
        await b.wait(for: .cancelled)
        b.finish()
        await a.wait(for: .stopRequested)
        // Until second 5 it waits anyway, and until second 6 it is to wait: asked half-way through what it gave.
        #expect(try await next(trial) == 3_000)
        a.finish()
        #expect(await trial.end() == .clean)
        try trial.story.expect(.stopping, before: .notification("EXTEND_TIMEOUT_USEC=5000000"))
    }

    @Test("a row of children that stop at once costs one message")
    func row() async throws {
        let trial = try DaemonTrial {
            Supervisor {
                for number in 1...100 { Probe("\(number)") }
            }
        }
        try await trial.ready()
        #expect(await trial.stop() == .clean)
        #expect(asked(trial) == [6_000])
    }

    @Test("a stop without a limit has the manager's")
    func unlimitedStop() async throws {
        let probe = Probe("probe", shutdown: .infinity)
        let trial = try DaemonTrial { Supervisor { probe } }
        try await trial.ready()
        #expect(await trial.stop() == .clean)
        #expect(asked(trial) == [])
    }

    @Test("children that are stopped as part of another have no longer than that one")
    func nestedStop() async throws {
        let inner = Probe("inner", shutdown: .graceful(.seconds(60)), ignoresStop: true)
        let trial = try DaemonTrial {
            Supervisor {
                Supervisor("web") { inner }.shutdown(.timeout(.seconds(3)))
            }
        }
        try await trial.ready()
        trial.send(.terminate)
        #expect(try await next(trial) == 4_000)
        await inner.wait(for: .stopRequested)
        trial.clock.advance(by: .seconds(3))
        #expect(await trial.end() == .childrenAbandoned)
        inner.finish()
        #expect(asked(trial) == [4_000])
    }

    @Test("of children that stop together the last one counts")
    func together() async throws {
        let gates = [Gate(), Gate()]
        let jobs = DynamicSupervisor<Int>("jobs", shutdown: .timeout(.seconds(30))) { child, number in
            child.started()
            await gates[number].wait()
        }
        let trial = try DaemonTrial { Supervisor { jobs } }
        try await trial.ready()
        for number in gates.indices { try await jobs.startChild(number) }
        trial.send(.terminate)
        #expect(try await next(trial) == 10_000)
        gates[0].open()
        try await trial.story.wait(for: .stop(of: "jobs/0"))
        trial.clock.advance(by: .seconds(5))
        #expect(try await next(trial) == 10_000)
        gates[1].open()
        #expect(await trial.end() == .clean)
        #expect(asked(trial) == [10_000, 10_000])
    }

    @Test("one that was abandoned counts no more, and its late end is not that of another")
    func abandoned() async throws {
        let late = Probe("late", shutdown: .timeout(.seconds(2)), ignoresStop: true)
        let slow = Probe("slow", shutdown: .timeout(.seconds(30)), ignoresStop: true)
        let trial = try DaemonTrial {
            Supervisor {
                slow
                late
            }
        }
        try await trial.ready()
        trial.send(.terminate)
        #expect(try await next(trial) == 3_000)
        await late.wait(for: .cancelled)
        trial.clock.advance(by: .seconds(2))
        await slow.wait(for: .cancelled)
        late.finish()
        try await trial.story.wait(for: "late stopped")
        // The next request is half-way through the 3 s, which has passed: the whole slice, at once.
        #expect(try await next(trial) == 10_000)
        trial.clock.advance(by: .seconds(5))
        #expect(try await next(trial) == 10_000)
        slow.finish()
        _ = await trial.end()
    }

    @Test("without a manager nothing waits for the clock")
    func noManager() async throws {
        let slow = Probe("slow", shutdown: .timeout(.seconds(60)), ignoresStop: true)
        let trial = try DaemonTrial(variables: ["NOTIFY_SOCKET": ""]) {
            Supervisor { slow }
        }
        await slow.wait(for: .started)
        trial.send(.terminate)
        await slow.wait(for: .cancelled)
        await trial.clock.sleepers(atLeast: 1)
        #expect(trial.clock.sleeperCount == 1)
        slow.finish()
        #expect(await trial.end() == .clean)
    }

    // MARK: - Restarts

    @Test("a child that a restart is taking down when the service stops has its time in that stop as well")
    func stopDuringRestart() async throws {
        let above = Probe("above")
        let slow = Probe("slow", shutdown: .graceful(.seconds(120)), ignoresStop: true)
        let trial = try DaemonTrial {
            Supervisor(strategy: .restForOne) {
                above
                slow
            }
        }
        try await trial.started()
        above.fail()
        await slow.wait(for: .stopRequested)
        #expect(asked(trial) == [], "it is ready, and nobody waits for it")
        trial.clock.advance(by: .seconds(110))
        trial.send(.terminate)
        // Of 120 s, one to be cancelled and one to act on that, 12 are left.
        #expect(try await next(trial) == 10_000)
        trial.clock.advance(by: .seconds(5))
        #expect(try await next(trial) == 7_000)
        slow.finish()
        #expect(await trial.end() == .clean)
        try trial.story.expect(.stopping, before: .notification("EXTEND_TIMEOUT_USEC=10000000"))
    }

    @Test("so has one that is taken down before the service was ready: the manager is asked anew")
    func stopDuringStart() async throws {
        let above = Probe("above")
        let slow = Probe("slow", shutdown: .graceful(.seconds(120)), ignoresStop: true)
        let starting = Probe("starting", start: .whenTold)
        let trial = try DaemonTrial {
            Supervisor(strategy: .oneForOne) {
                Supervisor("inner", strategy: .restForOne) {
                    above
                    slow
                }
                starting
            }
        }
        await starting.wait(for: .begun)
        above.fail()
        await slow.wait(for: .stopRequested)
        #expect(try await next(trial) == 10_000)
        trial.send(.terminate)
        try await trial.story.wait(for: .stopping)
        #expect(try await next(trial) == 10_000)
        slow.finish()
        #expect(await trial.end() == .clean)
    }

    @Test("what a supervisor takes down whose own turn has not come has no part in the stop of another")
    func besideAStop() async throws {
        let above = Probe("above")
        let slow = Probe("slow", shutdown: .graceful(.seconds(120)), ignoresStop: true)
        let last = Probe("last", shutdown: .timeout(.seconds(9)), ignoresStop: true)
        let trial = try DaemonTrial {
            Supervisor {
                Supervisor("inner", strategy: .restForOne) {
                    above
                    slow
                }
                last
            }
        }
        try await trial.started()
        trial.send(.terminate)
        #expect(try await next(trial) == 10_000)
        above.fail()
        await slow.wait(for: .stopRequested)
        last.finish()
        try await trial.story.wait(for: .stop(of: "last"))
        trial.clock.advance(by: .seconds(5))
        #expect(try await next(trial) == 10_000)
        slow.finish()
        #expect(await trial.end() == .clean)
    }
}
