import Glibc
import Synchronization
import Testing

@testable import Systemd

/// A FIFO that is watched, and the end to write to.
private func watchedFIFO() throws -> (events: PressureEvents, writer: CInt) {
    try withTemporaryDirectory { directory in
        let path = "\(directory)/fifo"
        try #require(mkfifo(path, 0o600) == 0)
        let events = try PressureSource(.memory, path: path).events()
        return (events, try openWriter(path))
    }
}

private func openWriter(_ path: String) throws -> CInt {
    let writer = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
    // ENXIO where nobody reads.
    try #require(writer >= 0, "errno \(errno)")
    return writer
}

/// A stream socket that is watched, and the manager's end of it.
private func watchedSocket(registration: [UInt8] = []) throws -> (events: PressureEvents, manager: CInt) {
    try withTemporaryDirectory { directory in
        let path = "\(directory)/socket"
        let listener = try TestSocket.unixListener(at: Array(path.utf8))
        defer { close(listener) }
        let events = try PressureSource(.io, path: path, registration: registration).events()
        let manager = accept(listener, nil, nil)
        try #require(manager >= 0)
        return (events, manager)
    }
}

@Suite("PressureEvents", .timeLimit(.minutes(1)))
struct PressureEventsTests {
    @Test("bytes in a FIFO are an event, and it does not end with its writers")
    func fifo() async throws {
        // A path of the FIFO that is neither a reader nor a writer of it.
        let namingOnly: CInt = 0o10_000_000
        let (events, named) = try withTemporaryDirectory { directory in
            let path = "\(directory)/fifo"
            try #require(mkfifo(path, 0o600) == 0)
            return (try PressureSource(.memory, path: path).events(), open(path, namingOnly | O_CLOEXEC))
        }
        defer { close(named) }
        var iterator = events.makeAsyncIterator()
        let before = MonotonicInstant.now
        for _ in 0..<20 {
            let writer = try openWriter("/proc/self/fd/\(named)")
            try #require(write(writer, "xyz", 3) == 3)
            let event = try #require(await iterator.next())
            #expect(event.resource == .memory)
            #expect(event.instant >= before)
            close(writer)
        }
    }

    @Test("an event ends the wait of who waits for it")
    func waits() async throws {
        let (events, writer) = try watchedFIFO()
        defer { close(writer) }
        let task = Task.immediate {
            var iterator = events.makeAsyncIterator()
            return await iterator.next()
        }
        try #require(write(writer, "x", 1) == 1)
        #expect(await task.value?.resource == .memory)
    }

    @Test("a writer without end is heard, and does not keep the watcher from ending")
    func flood() async throws {
        let (events, writer) = try watchedFIFO()
        let isOver = Atomic(false)
        let bytes = [UInt8](repeating: 1, count: 4096)
        let flooder = try WakeableThread(name: "flood") { _ in
            // Non-blocking: it goes on whether there is room or not.
            while !isOver.load(ordering: .relaxed) { _ = write(writer, bytes, bytes.count) }
        }
        let counted = Task {
            var count = 0
            for await _ in events {
                count += 1
                if count == 100 { break }
            }
            return count
        }
        #expect(await counted.value == 100)
        isOver.store(true, ordering: .relaxed)
        flooder.join()
        close(writer)
    }

    @Test("a socket gets the registration, tells with any bytes, and ends when its other end closes")
    func socket() async throws {
        let (events, manager) = try watchedSocket(registration: PressureSource.defaultRegistration)
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = read(manager, &buffer, buffer.count)
        #expect(Array(buffer.prefix(max(0, count))) == PressureSource.defaultRegistration)
        var iterator = events.makeAsyncIterator()
        for _ in 0..<3 {
            try #require(write(manager, "x", 1) == 1)
            #expect(await iterator.next()?.resource == .io)
        }
        close(manager)
        #expect(await iterator.next() == nil)
        #expect(await iterator.next() == nil)
    }

    @Test("what came before the end is told before the end")
    func last() async throws {
        let (events, manager) = try watchedSocket()
        try #require(write(manager, "x", 1) == 1)
        close(manager)
        var count = 0
        for await _ in events { count += 1 }
        #expect(count == 1)
    }

    @Test("a task that is cancelled already gets nothing")
    func cancelledBefore() async throws {
        let (events, writer) = try watchedFIFO()
        defer { close(writer) }
        try #require(write(writer, "x", 1) == 1)
        let task = Task.immediate {
            withUnsafeCurrentTask { $0?.cancel() }
            var iterator = events.makeAsyncIterator()
            return await iterator.next()
        }
        #expect(await task.value == nil)
    }

    @Test(
        "the kernel's own file tells when processor time is short",
        .enabled(if: access("/proc/pressure/cpu", R_OK | W_OK) == 0)
    )
    func kernel() async throws {
        // The shortest threshold in the shortest window that needs no privilege.
        let registration = Array("some 1 2000000\0".utf8)
        let events = try PressureSource(.cpu, path: "/proc/pressure/cpu", registration: registration).events()
        let isOver = Atomic(false)
        let spinners = try (0...sysconf(CInt(_SC_NPROCESSORS_ONLN))).map { _ in
            try WakeableThread(name: "spin") { _ in while !isOver.load(ordering: .relaxed) {} }
        }
        var iterator = events.makeAsyncIterator()
        let event = await iterator.next()
        isOver.store(true, ordering: .relaxed)
        for spinner in spinners { spinner.join() }
        #expect(event?.resource == .cpu)
    }

    @Test(
        "a threshold that the kernel refuses is an error",
        .enabled(if: access("/proc/pressure/cpu", R_OK | W_OK) == 0)
    )
    func refused() throws {
        let error = #expect(throws: SystemdError.self) {
            try PressureSource(.cpu, path: "/proc/pressure/cpu", registration: Array("much\0".utf8)).events()
        }
        #expect(error?.code == .pressureFailed)
        #expect(error?.errno == EINVAL)
    }

    @Test("what cannot be watched says why, and leaves nothing open")
    func unusable() async {
        await #expect(processExitsWith: .success) {
            let before = openDescriptors()
            try withTemporaryDirectory { directory in
                let stale = "\(directory)/stale"
                close(try TestSocket.unixListener(at: Array(stale.utf8)))
                for (path, code, number) in [
                    ("\(directory)/none", .pressureFailed, ENOENT), (stale, .pressureFailed, ECONNREFUSED),
                    (directory, .wrongKind, nil), ("/dev/zero", .wrongKind, nil),
                ] as [(String, SystemdError.Code, CInt?)] {
                    let error = #expect(throws: SystemdError.self) {
                        try PressureSource(.memory, path: path).events()
                    }
                    #expect(error?.code == code)
                    #expect(error?.errno == number)
                    #expect(error?.message.contains(path) == true)
                }
            }
            #expect(openDescriptors().subtracting(before).isEmpty)
        }
    }

    @Test("cancelled, ended or released: neither descriptor nor thread is left")
    func leaks() async {
        await #expect(processExitsWith: .success) {
            let before = openDescriptors()
            // The thread holds the channel for as long as it runs.
            weak var channel: PressureChannel?
            do {
                let (cancelled, writer) = try watchedFIFO()
                #expect(copies(of: writer) == 2)
                let task = Task.immediate { for await _ in cancelled {} }
                task.cancel()
                await task.value
                // Closed by the cancellation, and not only by the release; a task that has ended may hold on to
                // what it captured for a moment more.
                #expect(copies(of: writer) == 1)
                close(writer)
                #expect(openDescriptors().subtracting(before).isEmpty)
                withExtendedLifetime(cancelled) {}
            }
            do {
                let (ended, manager) = try watchedSocket()
                close(manager)
                channel = ended.handle.channel
                for await _ in ended {}
                #expect(openDescriptors().subtracting(before).isEmpty)
                withExtendedLifetime(ended) {}
            }
            #expect(channel == nil)
            do {
                let (released, writer) = try watchedFIFO()
                close(writer)
                channel = released.handle.channel
                withExtendedLifetime(released) {}
            }
            #expect(channel == nil)
            #expect(openDescriptors().subtracting(before).isEmpty)
        }
    }
}
