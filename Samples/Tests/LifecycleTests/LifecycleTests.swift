import Logging
import ServiceLifecycle
import Supervision
import SupervisionTesting
import Synchronization
import Testing

@Suite("A service as a child")
struct ServiceAsChildTests {
    @Test("it is asked for its graceful stop, finishes what it has, and is not cancelled")
    func graceful() async throws {
        let diary = Diary()
        let supervisor = Supervisor {
            Services { [Worker(diary)] }
        }
        let recorder = EventRecorder(supervisor)
        async let run: Void = supervisor.run()
        await diary.wait(for: "begun")
        supervisor.stop()
        try await run
        #expect(diary.lines == ["begun", "asked", "finished"])
        #expect(recorder.lines.suffix(2) == ["services stopped", "supervisor stopped"])
    }

    @Test("one that does not finish is cancelled when its time is up")
    func overdue() async throws {
        let diary = Diary()
        let clock = TestClock()
        let supervisor = Supervisor(clock: clock) {
            Services(shutdown: .graceful(.seconds(10))) { [Worker(diary, finishes: false)] }
        }
        let recorder = EventRecorder(supervisor)
        async let run: Void = supervisor.run()
        await diary.wait(for: "begun")
        supervisor.stop()
        await diary.wait(for: "asked")
        await clock.sleepers(atLeast: 1)
        clock.advance(by: .seconds(10))
        try await run
        #expect(diary.lines == ["begun", "asked", "cancelled"])
        #expect(recorder.lines.contains("services cancelled, has not stopped in 10.0 seconds"))
    }

    @Test("one that fails is started again, with a group of its own")
    func restart() async throws {
        let diary = Diary()
        let supervisor = Supervisor {
            Services { [Worker(diary, failsAtFirst: true)] }
        }
        async let run: Void = supervisor.run()
        await diary.wait(for: "begun", count: 2)
        supervisor.stop()
        try await run
        #expect(diary.lines == ["begun", "begun", "asked", "finished"])
    }
}

@Suite("A tree as a service")
struct TreeAsServiceTests {
    private func group(_ supervisor: Supervisor, _ others: any Service...) -> ServiceGroup {
        ServiceGroup(
            services: [SupervisorService(supervisor: supervisor)] + others,
            logger: Logger(label: "group")
        )
    }

    @Test("the group's graceful shutdown stops the children from the last to the first")
    func graceful() async throws {
        let (first, second) = (Probe("first"), Probe("second"))
        let supervisor = Supervisor {
            first
            second
        }
        let recorder = EventRecorder(supervisor)
        let group = group(supervisor)
        async let run: Void = group.run()
        await second.wait(for: .started)
        await group.triggerGracefulShutdown()
        try await run
        #expect(
            recorder.lines.filter { $0.hasSuffix(" stopped") } == [
                "second stopped", "first stopped", "supervisor stopped",
            ]
        )
    }

    @Test("the order holds also when the group is cancelled")
    func cancelled() async throws {
        let (first, second) = (Probe("first"), Probe("second"))
        let supervisor = Supervisor {
            first
            second
        }
        let recorder = EventRecorder(supervisor)
        let group = group(supervisor)
        let run = Task { try await group.run() }
        await second.wait(for: .started)
        run.cancel()
        _ = await run.result
        #expect(
            recorder.lines.filter { $0.hasSuffix(" stopped") } == [
                "second stopped", "first stopped", "supervisor stopped",
            ]
        )
    }

    @Test("a tree that gives up ends the group with its error")
    func givesUp() async throws {
        let child = Probe("child")
        let supervisor = Supervisor(intensity: .init(maxRestarts: 0, within: .seconds(1))) { child }
        let group = group(supervisor)
        let run = Task { try await group.run() }
        await child.wait(for: .started)
        child.fail(Broken())
        await #expect { try await run.value } throws: { error in
            (error as? SupervisorError)?.code == .gaveUp && (error as? SupervisorError)?.path == ["child"]
        }
    }
}

private struct Broken: Error {}

/// A service that notes what happens to it.
private struct Worker: Service {
    let diary: Diary
    let finishes: Bool
    let failsAtFirst: Bool

    init(_ diary: Diary, finishes: Bool = true, failsAtFirst: Bool = false) {
        self.diary = diary
        self.finishes = finishes
        self.failsAtFirst = failsAtFirst
    }

    func run() async throws {
        diary.add("begun")
        if failsAtFirst, diary.lines.count == 1 { throw Broken() }
        try? await gracefulShutdown()
        diary.add("asked")
        guard !finishes else { return diary.add("finished") }
        for await _ in AsyncStream<Never>.makeStream().stream {}
        diary.add("cancelled")
        throw CancellationError()
    }
}

/// What happened, line by line.
private final class Diary: Sendable {
    private struct State {
        var lines: [String] = []
        var watchers: [(line: String, count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    var lines: [String] { state.withLock { $0.lines } }

    func add(_ line: String) {
        let satisfied = state.withLock { state in
            state.lines.append(line)
            let count = state.lines.count { $0 == line }
            let satisfied = state.watchers.filter { $0.line == line && $0.count <= count }
            state.watchers.removeAll { $0.line == line && $0.count <= count }
            return satisfied.map(\.continuation)
        }
        for continuation in satisfied { continuation.resume() }
    }

    func wait(for line: String, count: Int = 1) async {
        await withCheckedContinuation { continuation in
            let hasHappened = state.withLock { state in
                guard state.lines.count(where: { $0 == line }) < count else { return true }
                state.watchers.append((line, count, continuation))
                return false
            }
            if hasHappened { continuation.resume() }
        }
    }
}
