import Supervision
import SupervisionTesting
import Testing

@testable import DaemonKit

@Suite("The manager's patience", .timeLimit(.minutes(1)))
struct ManagerPatienceTests {
    private let clock = TestClock()

    /// How much time the manager was asked for, each time, in milliseconds.
    private func asked(_ trial: DaemonTrial) -> [Int] {
        trial.lines.compactMap { line in
            guard line.hasPrefix("EXTEND_TIMEOUT_USEC=") else { return nil }
            return Int(line.dropFirst("EXTEND_TIMEOUT_USEC=".count)).map { $0 / 1000 }
        }
    }

    /// Waits for the next request, and gives its milliseconds.
    private func next(_ trial: DaemonTrial) async throws -> Int {
        while true {
            let message = try await trial.manager.next()
            if let amount = message["EXTEND_TIMEOUT_USEC"].flatMap({ Int($0) }) { return amount / 1000 }
        }
    }

    /// Lets time pass once as many as that wait for it.
    private func pass(_ time: Duration, sleepers: Int) async {
        await clock.sleepers(atLeast: sleepers)
        clock.advance(by: time)
    }

    // MARK: - Starting

    @Test("a start with a limit has the manager wait for as long, a slice at a time")
    func slowStart() async throws {
        let slow = Probe("slow", shutdown: .timeout(.seconds(4)), start: .whenTold)
        let trial = try DaemonTrial { [clock] in
            Supervisor(clock: clock) { slow.startTimeout(.seconds(20)) }
        }
        // 20 s to start, 4 s to be cancelled, and one to act on that: 25 s in all.
        #expect(try await next(trial) == 10_000)
        await pass(.seconds(5), sleepers: 2)
        #expect(try await next(trial) == 10_000)
        await pass(.seconds(5), sleepers: 2)
        #expect(try await next(trial) == 10_000)
        await pass(.seconds(5), sleepers: 2)
        #expect(try await next(trial) == 10_000, "up to the end")
        slow.start()
        _ = try await trial.manager.next(with: "READY=1")
        clock.advance(by: .seconds(100))
        #expect(asked(trial) == [10_000, 10_000, 10_000, 10_000], "nothing is asked for after that")
        #expect(await trial.stop() == .clean)
    }

    @Test("the last slice ends where the tree's limit does")
    func lastSlice() async throws {
        let slow = Probe("slow", shutdown: .timeout(.seconds(1)), start: .whenTold)
        let trial = try DaemonTrial { [clock] in
            Supervisor(clock: clock) { slow.startTimeout(.seconds(10)) }
        }
        #expect(try await next(trial) == 10_000)
        await pass(.seconds(5), sleepers: 2)
        #expect(try await next(trial) == 7_000)
        await pass(.milliseconds(4_999), sleepers: 1)
        #expect(asked(trial).count == 2)
        clock.advance(by: .milliseconds(1))
        let end = await trial.end()
        #expect(end.code == .startFailed)
    }

    @Test("a start without a limit of its own has the manager's, also after one that had one")
    func unlimitedStart() async throws {
        let (first, second) = (Probe("first", start: .whenTold), Probe("second", start: .whenTold))
        let trial = try DaemonTrial { [clock] in
            Supervisor(clock: clock) {
                first.startTimeout(.seconds(60))
                second
            }
        }
        #expect(try await next(trial) == 10_000)
        first.start()
        await second.wait(for: .begun)
        // What is left of the first one's time is not used for the second.
        await pass(.seconds(5), sleepers: 1)
        second.start()
        _ = try await trial.manager.next(with: "READY=1")
        #expect(asked(trial) == [10_000])
        #expect(await trial.stop() == .clean)
    }

    @Test("a child within a supervisor that is to start in time has no longer than that")
    func nestedStart() async throws {
        let slow = Probe("slow", start: .whenTold)
        let trial = try DaemonTrial { [clock] in
            Supervisor(clock: clock) {
                Supervisor("inner") { slow.startTimeout(.seconds(60)) }.startTimeout(.seconds(5))
            }
        }
        #expect(try await next(trial) == 6_000)
        await slow.wait(for: .begun)
        slow.start()
        _ = try await trial.manager.next(with: "READY=1")
        #expect(asked(trial) == [6_000])
        #expect(await trial.stop() == .clean)
    }

    @Test("once the service is ready nothing is asked for, whatever is started again or stopped")
    func running() async throws {
        let probe = Probe("probe")
        let trial = try DaemonTrial { [clock] in
            Supervisor(clock: clock) {
                ReadyMarker()
                probe.startTimeout(.seconds(60))
            }
        }
        await probe.wait(for: .started)
        probe.fail(Failure())
        await probe.wait(for: .started, count: 2)
        _ = try await trial.manager.next(with: "READY=1")
        #expect(asked(trial) == [])
        #expect(await trial.stop() == .clean)
    }

    // MARK: - Stopping

    @Test("each child's own limit is asked for when it is told to stop, after STOPPING=1")
    func stop() async throws {
        let a = Probe("a", shutdown: .timeout(.seconds(2)), ignoresStop: true)
        let b = Probe("b", shutdown: .graceful(.seconds(3)), ignoresStop: true)
        let trial = try DaemonTrial { [clock] in
            Supervisor(clock: clock) {
                a; b
            }
        }
        _ = try await trial.manager.next(with: "READY=1")
        trial.run.receive(.terminate)
        // 3 s to be asked, one to be cancelled, one to act on that.
        #expect(try await next(trial) == 5_000)
        await b.wait(for: .stopRequested)
        await pass(.seconds(3), sleepers: 1)
        await b.wait(for: .cancelled)
        b.finish()
        await a.wait(for: .stopRequested)
        // Until second 5 it waits anyway, and until second 6 it is to wait: asked half-way through what it gave.
        #expect(try await next(trial) == 3_000)
        a.finish()
        #expect(await trial.end().code == .clean)
        let lines = trial.lines
        #expect(
            lines.firstIndex(of: "STOPPING=1")! < lines.firstIndex { $0.hasPrefix("EXTEND_TIMEOUT_USEC") }!
        )
    }

    @Test("a row of children that stop at once costs one message")
    func row() async throws {
        let trial = try DaemonTrial { [clock] in
            Supervisor(clock: clock) {
                for number in 1...100 { Probe("\(number)") }
            }
        }
        _ = try await trial.manager.next(with: "READY=1")
        #expect(await trial.stop() == .clean)
        #expect(asked(trial) == [6_000])
    }

    @Test("a stop without a limit has the manager's")
    func unlimitedStop() async throws {
        let probe = Probe("probe", shutdown: .infinity)
        let trial = try DaemonTrial { [clock] in Supervisor(clock: clock) { probe } }
        _ = try await trial.manager.next(with: "READY=1")
        #expect(await trial.stop() == .clean)
        #expect(asked(trial) == [])
    }

    @Test("children that are stopped as part of another have no longer than that one")
    func nestedStop() async throws {
        let inner = Probe("inner", shutdown: .graceful(.seconds(60)), ignoresStop: true)
        let trial = try DaemonTrial { [clock] in
            Supervisor(clock: clock) {
                Supervisor("web") { inner }.shutdown(.timeout(.seconds(3)))
            }
        }
        _ = try await trial.manager.next(with: "READY=1")
        trial.run.receive(.terminate)
        #expect(try await next(trial) == 4_000)
        await inner.wait(for: .stopRequested)
        await pass(.seconds(3), sleepers: 2)
        #expect(await trial.end().code == .childrenAbandoned)
        inner.finish()
        #expect(asked(trial) == [4_000])
    }

    @Test("of children that stop together the last one counts")
    func together() async throws {
        let gates = [Gate(), Gate()]
        let jobs = DynamicSupervisor<Int>("jobs", shutdown: .timeout(.seconds(30))) { child, number in
            child.started()
            await Task { try? await gates[number].wait() }.value
        }
        let supervisor = Supervisor(clock: clock) {
            jobs
        }
        let recorder = EventRecorder(supervisor)
        let trial = try DaemonTrial { supervisor }
        _ = try await trial.manager.next(with: "READY=1")
        for number in gates.indices { try await jobs.startChild(number) }
        trial.run.receive(.terminate)
        #expect(try await next(trial) == 10_000)
        gates[0].open()
        await recorder.wait(for: "jobs/0 stopped")
        await pass(.seconds(5), sleepers: 2)
        #expect(try await next(trial) == 10_000)
        gates[1].open()
        #expect(await trial.end().code == .clean)
        #expect(asked(trial) == [10_000, 10_000])
    }

    @Test("one that was abandoned counts no more, and its late end is not that of another")
    func abandoned() async throws {
        let late = Probe("late", shutdown: .timeout(.seconds(2)), ignoresStop: true)
        let slow = Probe("slow", shutdown: .timeout(.seconds(30)), ignoresStop: true)
        let supervisor = Supervisor(clock: clock) {
            slow
            late
        }
        let recorder = EventRecorder(supervisor)
        let trial = try DaemonTrial { supervisor }
        _ = try await trial.manager.next(with: "READY=1")
        trial.run.receive(.terminate)
        #expect(try await next(trial) == 3_000)
        await late.wait(for: .cancelled)
        await pass(.seconds(2), sleepers: 1)
        await slow.wait(for: .cancelled)
        late.finish()
        await recorder.wait(for: "late stopped")
        // The next request is half-way through the 3 s, which has passed: the whole slice, at once.
        #expect(try await next(trial) == 10_000)
        await pass(.seconds(5), sleepers: 2)
        #expect(try await next(trial) == 10_000)
        slow.finish()
        _ = await trial.end()
    }

    @Test("without a manager nothing waits for the clock")
    func noManager() async throws {
        let slow = Probe("slow", shutdown: .timeout(.seconds(60)), ignoresStop: true)
        let trial = try DaemonTrial(variables: ["NOTIFY_SOCKET": ""]) { [clock] in
            Supervisor(clock: clock) { slow }
        }
        await slow.wait(for: .started)
        trial.run.receive(.terminate)
        await slow.wait(for: .cancelled)
        await clock.sleepers(atLeast: 1)
        #expect(clock.sleeperCount == 1)
        slow.finish()
        #expect(await trial.end().code == .clean)
    }
}
