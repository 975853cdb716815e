import DaemonKit
import Dispatch
import Foundation
import SupervisionTesting
import Testing

@testable import DaemonKit

@Suite("The executor of a connection's task")
struct TaskExecutorTests {
    @Test("the task begins, and goes on after each wait, where its handler says")
    func ownThreads() async throws {
        let handler = Witness(executor: QueueExecutor())
        #expect(try await answers(of: handler, to: ["one", "two"]) == ["here", "here"])
    }

    @Test("the task of a handler that says nothing runs where all tasks do")
    func sharedThreads() async throws {
        let handler = Handler { connection in
            while !(try await connection.read()).isEmpty {
                try await connection.write(isOnPool() ? "pool" : "elsewhere")
            }
        }
        #expect(try await answers(of: handler, to: ["one", "two"]) == ["pool", "pool"])
    }

    @Test("each connection asks once")
    func askedOnce() async throws {
        let handler = Witness(executor: QueueExecutor())
        #expect(try await answers(of: handler, to: ["one", "two"]).count == 2)
        #expect(handler.asked.all.count == 1)
    }

    @Test("a connection is cut while its task waits on an executor of its own")
    func cut() async throws {
        let ends = Recorder<String>()
        let handler = Witness(executor: QueueExecutor(), ends: ends)
        let socket = try ListeningSocket.bind(.host("127.0.0.1", port: 0), name: "http")
        let address = socket.localAddress
        let session = ServingSession(name: "test", expectedSockets: 1)
        let serving = Task { try await handler.serve(socket, in: session) }
        let client = try TestClient.connect(to: address)
        #expect(try await client.roundTrip("one") == "here")
        serving.cancel()
        _ = await serving.result
        #expect(ends.all == ["CancellationError()"])
        #expect(session.connectionCount == 0)
        #expect(try await client.read().isEmpty)
    }

    /// What one client is told, one question after the other; drained then.
    private func answers(of handler: some ConnectionHandler, to questions: [String]) async throws -> [String]
    {
        let socket = try ListeningSocket.bind(.host("127.0.0.1", port: 0), name: "http")
        let address = socket.localAddress
        let session = ServingSession(name: "test", expectedSockets: 1)
        async let serving: Void = handler.serve(socket, in: session)
        let client = try TestClient.connect(to: address)
        var answers: [String] = []
        for question in questions { answers.append(try await client.roundTrip(question)) }
        client.close()
        session.beginDrain()
        try await serving
        return answers
    }
}

/// Whether this runs on one of the threads that all tasks share.
private func isOnPool() -> Bool {
    withUnsafeCurrentTask { task in
        guard let executor = task?.unownedTaskExecutor else { return true }
        return executor == globalConcurrentExecutor.asUnownedTaskExecutor()
    } && !threadName().hasPrefix("accept")
}

private func threadName() -> String {
    (try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)) ?? "accept, for all one knows"
}

/// Answers what it reads with whether its executor runs it.
private struct Witness: ConnectionHandler {
    let executor: QueueExecutor
    var ends = Recorder<String>()
    let asked = Recorder<Void>()

    func taskExecutor() -> (any TaskExecutor)? {
        asked.add(())
        return executor
    }

    func handle(_ connection: Connection) async throws {
        let begin = executor.isHere
        do {
            while !(try await connection.read()).isEmpty {
                try await connection.write(begin && executor.isHere ? "here" : "elsewhere")
            }
        } catch {
            ends.add("\(error)")
            throw error
        }
    }
}

/// A thread of its own, more or less.
private final class QueueExecutor: TaskExecutor {
    private static let key = DispatchSpecificKey<ObjectIdentifier>()
    private let queue = DispatchQueue(label: "test")

    init() {
        queue.setSpecific(key: Self.key, value: ObjectIdentifier(self))
    }

    /// Whether this runs on it.
    var isHere: Bool { DispatchQueue.getSpecific(key: Self.key) == ObjectIdentifier(self) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
