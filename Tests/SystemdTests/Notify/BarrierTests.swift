import Glibc
import SupervisionTesting
import Testing

@testable import Systemd

@Suite("Notifier.barrier")
struct BarrierTests {
    @Test("without a manager there is nothing to wait for")
    func noManager() async {
        #expect(await Notifier(address: nil).barrier(timeout: patience) == .notSupervised)
    }

    @Test("a barrier is a message of its own with one descriptor, behind all that was sent before")
    func order() async throws {
        let manager = try FakeServiceManager()
        let notifier = Notifier(address: manager.address)
        for message in [.ready, .status("a"), .watchdog] as [NotifyMessage] { notifier.send(message) }
        #expect(await notifier.barrier(timeout: patience) == .passed)
        // Processed, not only sent: nothing is waited for here.
        #expect(manager.received.map(\.description) == ["READY=1", "STATUS=a", "WATCHDOG=1", "BARRIER=1"])
        #expect(manager.received.map(\.descriptorCount) == [0, 0, 0, 1])
    }

    @Test("a barrier behind a full queue passes when the manager has read the queue")
    func behindQueue() async throws {
        let manager = try FakeServiceManager()
        manager.pause()
        let notifier = Notifier(address: manager.address)
        while notifier.send(.status("fill")) == .sent {}
        #expect(notifier.send(.stopping) == .queued)
        let barrier = Task.immediate { await notifier.barrier(timeout: patience) }
        #expect(notifier.send(.errno(1)) == .queued)
        manager.resume()
        #expect(await barrier.value == .passed)
        let lines = manager.received.flatMap(\.lines)
        let position = try #require(lines.firstIndex(of: "BARRIER=1"))
        #expect(lines.prefix(position).suffix(1) == ["STOPPING=1"])
        _ = try await manager.next(with: "ERRNO=1")
    }

    @Test("many barriers at once all pass")
    func many() async throws {
        let manager = try FakeServiceManager()
        let notifier = Notifier(address: manager.address)
        let outcomes = await withTaskGroup { group in
            for _ in 0..<50 { group.addTask { await notifier.barrier(timeout: patience) } }
            return await group.reduce(into: [BarrierOutcome]()) { $0.append($1) }
        }
        #expect(outcomes == Array(repeating: .passed, count: 50))
    }

    @Test("a manager that does not read runs the time out", arguments: [-1, 0, 1, 5])
    func timeout(milliseconds: Int) async throws {
        let manager = try FakeServiceManager()
        manager.pause()
        let notifier = Notifier(address: manager.address)
        #expect(await notifier.barrier(timeout: .milliseconds(milliseconds)) == .timedOut)
    }

    @Test("a barrier whose time is up in the queue never leaves it, and is no loss")
    func timeoutInQueue() async throws {
        let manager = try FakeServiceManager()
        manager.pause()
        let notifier = Notifier(address: manager.address)
        while notifier.send(.ready) == .sent {}
        #expect(await notifier.barrier(timeout: .milliseconds(1)) == .timedOut)
        #expect(notifier.queuedCount == 1)
        #expect(notifier.droppedCount == 0)
        manager.resume()
        #expect(await notifier.barrier(timeout: patience) == .passed)
        #expect(manager.received.count { $0.lines == ["BARRIER=1"] } == 1)
    }

    @Test("cancelling ends the wait, before it and within it", arguments: [true, false])
    func cancelled(early: Bool) async throws {
        let manager = try FakeServiceManager()
        manager.pause()
        let notifier = Notifier(address: manager.address)
        let task = Task.immediate {
            if early { withUnsafeCurrentTask { $0?.cancel() } }
            return await notifier.barrier(timeout: .seconds(Int64.max))
        }
        task.cancel()
        #expect(await task.value == .cancelled)
    }

    @Test("closing ends the wait, and a later barrier fails")
    func closed() async throws {
        let manager = try FakeServiceManager()
        manager.pause()
        let notifier = Notifier(address: manager.address)
        let task = Task.immediate { await notifier.barrier(timeout: patience) }
        notifier.close()
        for outcome in [await task.value, await notifier.barrier(timeout: patience)] {
            guard case .failed(let error) = outcome else {
                Issue.record("\(outcome)")
                continue
            }
            #expect(error.code == .closed)
        }
        #expect(notifier.droppedCount == 0)
    }

    @Test("a manager that is not there fails the barrier, and says why")
    func absent() async throws {
        let notifier = Notifier(address: try NotifyAddress("/nonexistent/notify"))
        guard case .failed(let error) = await notifier.barrier(timeout: patience) else {
            Issue.record("a barrier to nobody did not fail")
            return
        }
        #expect(error.code == .sendFailed)
        #expect(error.errno == ENOENT)
    }

    @Test("a queue full of steps of life has no room for a barrier, and says so")
    func queueFull() async throws {
        let manager = try FakeServiceManager()
        manager.pause()
        let notifier = Notifier(address: manager.address)
        while notifier.send(.ready) != .dropped {}
        guard case .failed(let error) = await notifier.barrier(timeout: patience) else {
            Issue.record("a barrier found room in a full queue")
            return
        }
        #expect(error.code == .queueFull)
        #expect(error.message.contains("128 messages"))
    }

    @Test("however it ends, neither descriptor nor thread is left")
    func leaks() async {
        await #expect(processExitsWith: .success) {
            let before = openDescriptors()
            do {
                let manager = try FakeServiceManager()
                let notifier = Notifier(address: manager.address)
                #expect(await notifier.barrier(timeout: patience) == .passed)
                manager.pause()
                #expect(await notifier.barrier(timeout: .milliseconds(1)) == .timedOut)
                let cancelled = Task.immediate { await notifier.barrier(timeout: patience) }
                cancelled.cancel()
                #expect(await cancelled.value == .cancelled)
                while notifier.send(.ready) == .sent {}
                let closed = Task.immediate { await notifier.barrier(timeout: patience) }
                notifier.close()
                guard case .failed = await closed.value else {
                    Issue.record("closing did not fail the barrier")
                    return
                }
            }
            #expect(openDescriptors().subtracting(before).isEmpty)
        }
    }

    @Test("while barriers wait the pool is free, however many and however long")
    func pool() async throws {
        let manager = try FakeServiceManager()
        manager.pause()
        let notifier = Notifier(address: manager.address)
        // More than any pool has threads, yet all of them get to wait.
        let tasks = (0..<100).map { _ in
            Task.immediate { await notifier.barrier(timeout: .seconds(Int64.max)) }
        }
        #expect(await Task.detached { true }.value)
        for task in tasks { task.cancel() }
        for task in tasks { #expect(await task.value == .cancelled) }
    }
}
