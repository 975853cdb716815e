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

private let patience = Duration.seconds(60)

/// Sends numbered messages until the manager's socket is full; gives how many, the queued one included.
private func fill(_ notifier: Notifier) throws -> Int {
    for number in 1...100_000 {
        let outcome = notifier.send(try .variable("X_FILL", "\(number)"))
        if outcome == .queued { return number }
        try #require(outcome == .sent)
    }
    throw SystemdError(.sendFailed, "the socket of a manager that does not read never was full")
}

private func lines(_ manager: FakeServiceManager, count: Int) async throws -> [String] {
    var lines: [String] = []
    for _ in 0..<count { lines += try await manager.next().lines }
    return lines
}

@Suite("Notifier")
struct NotifierTests {
    // MARK: - Sending

    @Test("without a manager nothing happens, and the outcome says so")
    func noManager() async {
        let notifier = Notifier(address: nil)
        #expect(notifier.send(.ready) == .notSupervised)
        #expect(await notifier.flush(timeout: .zero))
        #expect(notifier.droppedCount == 0)
        notifier.close()
        #expect(notifier.send(.ready) == .notSupervised)
    }

    @Test("the datagram is the message, byte for byte")
    func bytes() async throws {
        let manager = try FakeServiceManager()
        let notifier = Notifier(address: manager.address)
        let message: NotifyMessage = .ready + .status("grüße")
        #expect(notifier.send(message) == .sent)
        #expect(try await manager.next().bytes == Array("READY=1\nSTATUS=grüße".utf8))
    }

    @Test("an abstract address of every length is reached, the longest too", arguments: [20, 60, 107])
    func abstract(length: Int) throws {
        let unique = "\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        let name = String((unique + String(repeating: "x", count: 107)).prefix(length))
        // Bound here, by the name's exact length: a fake manager would share a mistake in it.
        let receiver = try TestSocket.unixDatagram(at: [0] + Array(name.utf8))
        defer { closeDescriptor(receiver) }
        let notifier = Notifier(address: try NotifyAddress("@" + name))
        try #require(notifier.send(.stopping) == .sent)
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = recv(receiver, &buffer, buffer.count, 0)
        #expect(Array(buffer.prefix(count)) == Array("STOPPING=1".utf8))
    }

    @Test("a path of the greatest length is reached")
    func longestPath() async throws {
        let unique = "/tmp/\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        let path = unique + String(repeating: "x", count: 107 - unique.utf8.count)
        let manager = try FakeServiceManager(at: NotifyAddress(path))
        #expect(Notifier(address: manager.address).send(.ready) == .sent)
        #expect(try await manager.next().lines == ["READY=1"])
    }

    @Test("a message of the greatest size is sent, one byte more is an error")
    func size() async throws {
        let manager = try FakeServiceManager()
        let notifier = Notifier(address: manager.address)
        let room = NotifyMessage.largestSize - "X_A=".utf8.count
        let largest = try NotifyMessage.variable("X_A", String(repeating: "a", count: room))
        let larger = try NotifyMessage.variable("X_A", String(repeating: "a", count: room + 1))
        guard case .failed(let error) = notifier.send(larger) else {
            Issue.record("a message of \(larger.bytes.count) bytes did not fail")
            return
        }
        #expect(error.code == .messageTooLarge)
        #expect(error.message == "the message is 4097 bytes long, where the manager reads at most 4096")
        try #require(notifier.send(largest) == .sent)
        #expect(try await manager.next().bytes == largest.bytes)
    }

    // MARK: - A manager that comes and goes

    @Test("a manager that is not there is a failure that names the address and the reason")
    func absent() throws {
        let notifier = Notifier(address: try NotifyAddress("/nonexistent/notify"))
        guard case .failed(let error) = notifier.send(.ready) else {
            Issue.record("sending to nobody did not fail")
            return
        }
        #expect(error.code == .sendFailed)
        #expect(error.errno == ENOENT)
        #expect(
            error.message
                == "cannot connect to the manager's socket /nonexistent/notify: No such file or directory (errno 2)"
        )
    }

    // These two have processes of their own: a child that another test is just starting holds a copy of every
    // descriptor for a moment, and keeps a closed socket alive.

    @Test("a manager that came back behind the same address is reached again")
    func comesBack() async {
        await #expect(processExitsWith: .success) {
            let name = "@notifier-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
            let address = try NotifyAddress(name)
            let notifier = Notifier(address: address)
            for _ in 0..<3 {
                let manager = try FakeServiceManager(at: address)
                try #require(notifier.send(.ready) == .sent)
                #expect(try await manager.next().lines == ["READY=1"])
                manager.close()
                guard case .failed(let error) = notifier.send(.status("nobody")) else {
                    Issue.record("sending to a closed manager did not fail")
                    return
                }
                #expect(error.errno == ECONNREFUSED)
            }
        }
    }

    @Test("what waits for a manager that dies is lost, counted, and fails the flush")
    func dies() async {
        await #expect(processExitsWith: .success) {
            let manager = try FakeServiceManager()
            manager.pause()
            let notifier = Notifier(address: manager.address)
            _ = try fill(notifier)
            #expect(notifier.send(.stopping) == .queued)
            // It waits by the time this returns.
            let flushed = Task.immediate { await notifier.flush(timeout: patience) }
            manager.close()
            #expect(await flushed.value == false)
            #expect(notifier.queuedCount == 0)
            #expect(notifier.droppedCount == 2)
        }
    }

    // MARK: - A manager that does not read

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

    // MARK: - Flushing and closing

    @Test("a flush waits until what was queued has left")
    func flush() async throws {
        let manager = try FakeServiceManager()
        manager.pause()
        let notifier = Notifier(address: manager.address)
        _ = try fill(notifier)
        let flushed = Task.immediate { await notifier.flush(timeout: patience) }
        manager.resume()
        #expect(await flushed.value)
        #expect(notifier.queuedCount == 0)
    }

    @Test("a flush is over when its time is", arguments: [-1, 0, 1])
    func flushTimeout(milliseconds: Int) async throws {
        let manager = try FakeServiceManager()
        manager.pause()
        let notifier = Notifier(address: manager.address)
        _ = try fill(notifier)
        #expect(await notifier.flush(timeout: .milliseconds(milliseconds)) == false)
        #expect(notifier.queuedCount == 1)
    }

    @Test("a flush without an end in sight ends when its task is cancelled")
    func flushCancelled() async throws {
        let manager = try FakeServiceManager()
        manager.pause()
        let notifier = Notifier(address: manager.address)
        _ = try fill(notifier)
        let task = Task.immediate { await notifier.flush(timeout: .seconds(Int64.max)) }
        task.cancel()
        #expect(await task.value == false)
    }

    @Test("closing ends a flush, loses and counts what waits, and later messages fail")
    func close() async throws {
        let manager = try FakeServiceManager()
        manager.pause()
        let notifier = Notifier(address: manager.address)
        _ = try fill(notifier)
        let flushed = Task.immediate { await notifier.flush(timeout: patience) }
        notifier.close()
        #expect(await flushed.value == false)
        #expect(notifier.droppedCount == 1)
        guard case .failed(let error) = notifier.send(.ready) else {
            Issue.record("sending after closing did not fail")
            return
        }
        #expect(error.code == .closed)
        notifier.close()
    }

    @Test("a notifier that is released leaves neither descriptor nor thread")
    func released() async throws {
        // A process of its own, where no other test opens descriptors.
        await #expect(processExitsWith: .success) {
            let manager = try FakeServiceManager()
            manager.pause()
            let before = socketsAndPipes()
            weak var channel: NotifyChannel?
            do {
                let notifier = Notifier(address: manager.address)
                channel = notifier.channel
                while notifier.send(.ready) == .sent {}
                // One socket, and both ends of the pipe that wakes the thread.
                #expect(!socketsAndPipes().subtracting(before).isEmpty)
                #expect(channel != nil)
            }
            // The thread holds the channel for as long as it runs.
            #expect(channel == nil)
            #expect(socketsAndPipes().subtracting(before).isEmpty)
        }
    }
}

extension Notifier {
    fileprivate var waiting: (messages: Int, descriptors: Int) {
        channel?.state.withLock { ($0.queue.entries.count, $0.queue.descriptorCount) } ?? (0, 0)
    }
}

private func socketsAndPipes() -> Set<CInt> {
    Set((0..<1024).filter { [.datagram, .fifo].contains(PassedDescriptor(number: $0).kind) })
}
