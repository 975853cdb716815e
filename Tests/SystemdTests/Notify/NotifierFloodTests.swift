import SupervisionLock
import SupervisionTesting
import Testing

@testable import Systemd

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite("Notifier: a manager that does not read")
struct NotifierFloodTests {
    @Test("messages wait in order for a manager that does not read, and arrive when it does")
    func order() async throws {
        let manager = try FakeServiceManager()
        manager.pause()
        let notifier = Notifier(address: manager.address)
        let filled = try fill(notifier)
        for message in [.status("a"), .ready, .stopping, .status("b"), .errno(5)] as [NotifyMessage] {
            #expect(notifier.send(message) == .queued)
        }
        manager.resume()
        let expected =
            (1...filled).map { "X_FILL=\($0)" } + ["READY=1", "STOPPING=1", "STATUS=b", "ERRNO=5"]
        #expect(try await lines(manager, count: expected.count) == expected)
        #expect(await notifier.flush(timeout: patience))
        #expect(notifier.droppedCount == 0)
        // The queue is empty: sending is direct again.
        #expect(notifier.send(.ready) == .sent)
    }

    @Test("stuck and freed again and again, nothing is lost or overtakes")
    func again() async throws {
        let manager = try FakeServiceManager()
        let notifier = Notifier(address: manager.address)
        for _ in 0..<20 {
            manager.pause()
            let filled = try fill(notifier)
            manager.resume()
            let expected = (1...filled).map { "X_FILL=\($0)" }
            #expect(try await lines(manager, count: filled) == expected)
        }
    }

    @Test("what is sent while the manager is catching up does not overtake what waits")
    func catchingUp() async throws {
        let manager = try FakeServiceManager()
        let notifier = Notifier(address: manager.address)
        for _ in 0..<20 {
            manager.pause()
            let filled = try fill(notifier)
            for number in 1...50 {
                try #require(notifier.send(.variable("X_WAITS", "\(number)")) == .queued)
            }
            manager.resume()
            // There is room in the socket from here on.
            _ = try await manager.next()
            for number in 1...50 {
                let outcome = notifier.send(try .variable("X_LATE", "\(number)"))
                try #require(outcome == .queued || outcome == .sent)
            }
            let expected =
                (2...filled).map { "X_FILL=\($0)" } + (1...50).map { "X_WAITS=\($0)" }
                + (1...50).map { "X_LATE=\($0)" }
            #expect(try await lines(manager, count: expected.count) == expected)
        }
    }

    @Test("a flood keeps the queue small, and only the newest status arrives")
    func flood() async throws {
        let manager = try FakeServiceManager()
        manager.pause()
        let notifier = Notifier(address: manager.address)
        let filled = try fill(notifier)
        #expect(notifier.send(.ready) == .queued)
        for number in 1...100_000 {
            guard notifier.send(.status("\(number)")) == .queued else {
                Issue.record("status \(number) was not queued")
                return
            }
        }
        #expect(notifier.queuedCount == 3)
        #expect(notifier.droppedCount == 0)
        manager.resume()
        let arrived = try await lines(manager, count: filled + 2)
        #expect(arrived.suffix(2) == ["READY=1", "STATUS=100000"])
    }

    @Test("a flood of what cannot be replaced is cut at the cap and counted; the life of the service is kept")
    func cap() async throws {
        let manager = try FakeServiceManager()
        manager.pause()
        let notifier = Notifier(address: manager.address)
        let filled = try fill(notifier)
        var dropped = 0
        for number in 1...10_000 {
            switch notifier.send(try .variable("X_N", "\(number)")) {
            case .queued: break
            case .dropped: dropped += 1
            case let outcome: Issue.record("message \(number): \(outcome)")
            }
        }
        #expect(notifier.queuedCount == 128)
        #expect(dropped == 10_000 - 127)
        #expect(notifier.droppedCount == dropped)
        #expect(notifier.send(.stopping) == .queued)
        #expect(notifier.droppedCount == dropped + 1)
        manager.resume()
        // The last to fill was the oldest in the queue, and made room.
        let expected =
            (1..<filled).map { "X_FILL=\($0)" } + (1...127).map { "X_N=\($0)" } + ["STOPPING=1"]
        #expect(try await lines(manager, count: expected.count) == expected)
    }

    @Test("as many senders as the pool has threads are held up neither by a full socket nor by a full queue")
    func everyThread() async throws {
        let manager = try FakeServiceManager()
        manager.pause()
        let notifier = Notifier(address: manager.address)
        let senders = 2 * sysconf(CInt(_SC_NPROCESSORS_ONLN))
        // If one waited for the manager, which reads only afterwards, this would not end.
        let dropped = try await withThrowingTaskGroup(of: Int.self) { group in
            for sender in 0..<senders {
                group.addTask {
                    let message = try NotifyMessage.variable("X_SENDER", "\(sender)")
                    return (0..<1000).count { _ in notifier.send(message) == .dropped }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(dropped > 0)
        #expect(notifier.droppedCount == dropped)
        #expect(notifier.queuedCount == 128)
        manager.resume()
        #expect(await notifier.flush(timeout: patience))
    }

    @Test("a hundred thousand of every kind neither wait nor pile up, and what arrives is in order")
    func mixedFlood() async {
        // Hundreds of descriptors wait in it: a process of its own.
        await #expect(processExitsWith: .success) {
            let manager = try FakeServiceManager()
            manager.pause()
            let notifier = Notifier(address: manager.address)
            let (questions, ask) = AsyncStream.makeStream(of: Int.self)
            let (answers, answer) = AsyncStream.makeStream(of: Int.self)
            let neighbour = Task { for await question in questions { answer.yield(question) } }
            var answered = answers.makeAsyncIterator()
            for number in 1...100_000 {
                if number.isMultiple(of: 1000) {
                    // Another task of the pool gets on with its work, whatever waits here.
                    ask.yield(number)
                    try #require(await answered.next() == number)
                }
                let message: NotifyMessage =
                    switch number % 5 {
                    case 0: .status("\(number)")
                    case 1: .extendTimeout(by: .microseconds(number))
                    case 2: try .variable("X_N", "\(number)")
                    case 3: .errno(CInt(number))
                    default: try .storeDescriptors(Array(repeating: 0, count: 12), named: "\(number)")
                    }
                switch notifier.send(message) {
                case .sent, .queued, .dropped: break
                case let outcome: Issue.record("message \(number): \(outcome)")
                }
                // What there can be of memory and of open files, and never more.
                let (messages, descriptors) = notifier.waiting
                guard messages <= 128, descriptors <= 506 else {
                    Issue.record("\(messages) messages with \(descriptors) descriptors wait")
                    return
                }
            }
            ask.finish()
            await neighbour.value
            #expect(notifier.droppedCount > 50_000)
            manager.resume()
            #expect(await notifier.flush(timeout: patience))
            #expect(await notifier.barrier(timeout: patience) == .passed)
            let numbers = manager.received.dropLast().compactMap { message in
                message.lines.last?.split(separator: "=").last.flatMap { Int($0) }
            }
            #expect(numbers == numbers.sorted())
            #expect(numbers.count > 128)
        }
    }

    @Test("many tasks may send at once: each one's messages arrive in its order")
    func concurrent() async throws {
        let manager = try FakeServiceManager()
        let notifier = Notifier(address: manager.address)
        let senders = 8
        let each = 12
        await withTaskGroup { group in
            for sender in 0..<senders {
                group.addTask {
                    for number in 0..<each {
                        _ = try? notifier.send(.variable("X_\(sender)", "\(number)"))
                    }
                }
            }
        }
        #expect(await notifier.flush(timeout: patience))
        try #require(notifier.droppedCount == 0)
        let arrived = try await lines(manager, count: senders * each)
        for sender in 0..<senders {
            #expect(
                arrived.filter { $0.hasPrefix("X_\(sender)=") } == (0..<each).map { "X_\(sender)=\($0)" }
            )
        }
    }
}

extension Notifier {
    fileprivate var waiting: (messages: Int, descriptors: Int) {
        channel?.state.withLock { ($0.queue.entries.count, $0.queue.descriptorCount) } ?? (0, 0)
    }
}
