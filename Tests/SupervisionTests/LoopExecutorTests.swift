import Foundation
import SupervisionLock
import SupervisionTesting
import Testing

@testable import Supervision

@Suite("The thread that brings news", .timeLimit(.minutes(1)))
struct LoopExecutorTests {
    @Test("a task goes on where a thread is lent to it, and there alone")
    func lent() async {
        let executor = LoopExecutor()
        let reader = Reader()
        let seen = Recorder<Int>()
        var task: Task<Void, Never>?
        // Its beginning is run on a lent thread too: when that is given back, the task is waiting.
        executor.lend {
            task = Task(executorPreference: executor) {
                seen.add(Self.thread)
                await reader.wait()
                seen.add(Self.thread)
            }
        }
        #expect(seen.all == [Self.thread])
        executor.lend { reader.wake() }
        #expect(seen.all == [Self.thread, Self.thread])
        await task?.value
    }

    @Test("without a thread that is lent a task runs on the pool")
    func pool() async {
        let executor = LoopExecutor()
        // Who lent one has it back by then.
        executor.lend {}
        let hasExecutor = await Task(executorPreference: executor) { Self.hasExecutor }.value
        #expect(hasExecutor)
    }

    @Test("a lent thread takes one task; another that is ready at the same time goes to the pool")
    func one() async {
        let executor = LoopExecutor()
        let done = Recorder<Int>()
        var tasks: [Task<Void, Never>] = []
        executor.lend {
            tasks = (1...3).map { number in Task(executorPreference: executor) { done.add(number) } }
        }
        for task in tasks { await task.value }
        #expect(Set(done.all) == [1, 2, 3])
    }

    @Test("children run on the pool as ever, and have nothing of the caller's that brought them about")
    func children() async throws {
        let seen = Recorder<String>()
        let executors = Recorder<Bool>()
        let rooms = DynamicSupervisor("rooms") { (child, _: Int) in
            seen.add(Caller.mark)
            executors.add(Self.hasExecutor)
            child.started()
            await Task.yield()
            executors.add(Self.hasExecutor)
            await child.shutdownRequested()
        }
        let supervisor = Supervisor { rooms }
        let run = Caller.$mark.withValue("tree") { Task { try await supervisor.run() } }
        for number in 1...100 {
            try await Caller.$mark.withValue("caller") {
                // Before it runs there is nobody to ask.
                while true {
                    do {
                        try await rooms.startChild(number)
                        return
                    } catch let error as SupervisorError where error.code == .notRunning {
                        await Task.yield()
                    }
                }
            }
        }
        supervisor.stop()
        try await run.value
        #expect(seen.all == Array(repeating: "tree", count: 100))
        #expect(executors.all == Array(repeating: false, count: 200))
    }

    @Test("a task that was cancelled before it asks is not served")
    func cancelled() async throws {
        let started = Recorder<String>()
        let supervisor = Supervisor { Probe("first") }
        let run = Task { try await supervisor.run() }
        while try await !Self.answers(supervisor) { await Task.yield() }
        let asked = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await supervisor.startChild(ChildSpec("late") { started.add("late") })
        }
        await #expect(throws: CancellationError.self) { try await asked.value }
        #expect(try await supervisor.countChildren().specs == 1)
        #expect(started.all.isEmpty)
        supervisor.stop()
        try await run.value
    }

    /// Whether a supervisor runs, and has nothing else to do.
    private static func answers(_ supervisor: Supervisor) async throws -> Bool {
        do {
            return try await supervisor.countChildren().active == 1
        } catch let error as SupervisorError where error.code == .notRunning {
            return false
        }
    }

    private static var thread: Int { Int(bitPattern: UInt(pthread_self())) }

    private static var hasExecutor: Bool { withUnsafeCurrentTask { $0?.unownedTaskExecutor != nil } }
}

/// A task that waits, and is woken from elsewhere.
private final class Reader: Sendable {
    private let continuation = Locked<UnsafeContinuation<Void, Never>?>(nil)

    nonisolated(nonsending) func wait() async {
        await withUnsafeContinuation { continuation in self.continuation.withLock { $0 = continuation } }
    }

    func wake() {
        continuation.withLock { $0.take() }?.resume()
    }
}

private enum Caller {
    @TaskLocal static var mark = "none"
}
