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

/// How long a test waits for what must come.
let patience = Duration.seconds(60)

/// Sends numbered messages until the manager's socket is full; gives how many, the queued one included.
func fill(_ notifier: Notifier) throws -> Int {
    for number in 1...100_000 {
        let outcome = notifier.send(try .variable("X_FILL", "\(number)"))
        if outcome == .queued { return number }
        try #require(outcome == .sent)
    }
    throw SystemdError(.sendFailed, "the socket of a manager that does not read never was full")
}

/// The lines of the next messages.
func lines(_ manager: FakeServiceManager, count: Int) async throws -> [String] {
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

private func socketsAndPipes() -> Set<CInt> {
    Set((0..<1024).filter { [.datagram, .fifo].contains(PassedDescriptor(number: $0).kind) })
}
