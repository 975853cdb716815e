import DaemonKit
import Glibc
import SupervisionTesting
import Testing

@testable import DaemonKit

@Suite("A connection")
struct ConnectionTests {
    /// Both ends of one, over TCP.
    private func pair() throws -> (server: Connection, client: Connection) {
        let socket = try ListeningSocket.bind(.host("127.0.0.1", port: 0), name: "pair")
        let client = try TestClient.connect(to: socket.localAddress)
        guard case .accepted(let descriptor, let peer) = AcceptThread.system(socket.descriptor) else {
            throw TestClient.Refused(errorNumber: EAGAIN)
        }
        let session = ServingSession(name: "pair", expectedSockets: 1)
        session.connectionOpened()
        return (Connection(adopting: descriptor, peer: peer, in: session), client)
    }

    private func code(_ body: () async throws -> Void) async -> SocketError.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? SocketError)?.code
        }
    }

    @Test("bytes come as they were written, also more than the kernel takes at once")
    func bytes() async throws {
        let (server, client) = try pair()
        let sent = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        async let written: Void = {
            try await client.write(sent)
            client.shutdownWrite()
        }()
        #expect(try await server.readAll() == sent)
        try await written
    }

    @Test("reading and writing go on at once, both waiting")
    func duplex() async throws {
        let (server, client) = try pair()
        let sent = [UInt8](repeating: 7, count: 5_000_000)
        func exchange(_ connection: Connection) async throws -> Int {
            async let written: Void = {
                try await connection.write(sent)
                connection.shutdownWrite()
            }()
            let count = try await connection.readAll().count
            try await written
            return count
        }
        async let first = exchange(server)
        async let second = exchange(client)
        #expect(try await [first, second] == [sent.count, sent.count])
    }

    @Test("no more is read than was asked for")
    func limit() async throws {
        let (server, client) = try pair()
        try await client.write("hello")
        #expect(try await server.read(upTo: 2) == Array("he".utf8))
        #expect(try await server.read(upTo: .max) == Array("llo".utf8))
    }

    @Test("reading up to nothing is an error", arguments: [0, -1, .min])
    func nothing(_ limit: Int) async throws {
        let (server, client) = try pair()
        #expect(await code { _ = try await server.read(upTo: limit) } == .invalidArgument)
        withExtendedLifetime(client) {}
    }

    @Test("writing nothing returns at once")
    func writeNothing() async throws {
        let (server, client) = try pair()
        try await server.write([UInt8]())
        server.close()
        #expect(try await client.readAll() == [])
    }

    @Test("the end is read again and again")
    func end() async throws {
        let (server, client) = try pair()
        client.shutdownWrite()
        #expect(try await server.read() == [])
        #expect(try await server.read() == [])
        try await server.write("still here")
        #expect(try await client.read() == Array("still here".utf8))
    }

    @Test("shutting down the reading ends a read that waits, after what has arrived")
    func shutdownRead() async throws {
        let (server, client) = try pair()
        try await client.write("hello")
        #expect(try await server.read() == Array("hello".utf8))
        async let rest = server.read()
        server.shutdownRead()
        #expect(try await rest == [])
        try await server.write("bye")
        #expect(try await client.read() == Array("bye".utf8))
    }

    // MARK: Ends

    @Test("cancelling ends a read and a write that wait, and loses no byte")
    func cancelled() async throws {
        let (server, client) = try pair()
        let reading = Task { try await server.read() }
        let writing = Task {
            while true { try await server.write([UInt8](repeating: 0, count: 1 << 20)) }
        }
        // Something was written: it fills the buffers, then waits.
        _ = try await client.read(upTo: 1)
        reading.cancel()
        writing.cancel()
        await #expect(throws: CancellationError.self) { try await reading.value }
        await #expect(throws: CancellationError.self) { try await writing.value }
        try await client.write("hello")
        #expect(try await server.read() == Array("hello".utf8))
    }

    @Test("a task that is cancelled already neither reads nor writes")
    func cancelledBefore() async throws {
        let (server, client) = try pair()
        try await client.write("hello")
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            _ = try await server.read()
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await server.read() == Array("hello".utf8))
    }

    @Test("closing ends a read that waits, and all that follow")
    func closed() async throws {
        let (server, client) = try pair()
        async let waiting = code { _ = try await server.read() }
        server.close()
        #expect(await waiting == .closed)
        #expect(await code { _ = try await server.read() } == .closed)
        #expect(await code { try await server.write("x") } == .closed)
        #expect(await code { _ = try server.takeDescriptor() } == .closed)
        server.close()
        #expect(try await client.read() == [])
    }

    @Test("writing to a peer that is gone throws, with no SIGPIPE")
    func peerGone() async {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_DFL)
            let socket = try ListeningSocket.bind(.host("127.0.0.1", port: 0), name: "http")
            let client = try TestClient.connectBlocking(to: socket.localAddress)
            guard case .accepted(let descriptor, let peer) = AcceptThread.system(socket.descriptor) else {
                exit(1)
            }
            let session = ServingSession(name: "s", expectedSockets: 1)
            let server = Connection(adopting: descriptor, peer: peer, in: session)
            // With no time to linger the close is a reset.
            var reset = linger(l_onoff: 1, l_linger: 0)
            setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, socklen_t(MemoryLayout<linger>.size))
            close(client)
            for _ in 0..<3 {
                let error = await #expect(throws: SocketError.self) { try await server.write("x") }
                #expect(error?.code == .peerGone)
            }
        }
    }

    @Test("a second task that writes is told that it may not")
    func busy() async throws {
        let (server, client) = try pair()
        let writing = Task {
            while true { try await server.write([UInt8](repeating: 0, count: 1 << 20)) }
        }
        _ = try await client.read(upTo: 1)
        // Between two writes it is free for an instant.
        var found: SocketError.Code?
        while found == nil { found = await code { try await server.write("x") } }
        #expect(found == .busy)
        writing.cancel()
        _ = await writing.result
    }

    // MARK: Taking

    @Test(
        "a descriptor that is taken is the taker's, before and after it was waited on",
        arguments: [false, true]
    )
    func take(waitedOn: Bool) async throws {
        let (server, client) = try pair()
        if waitedOn {
            async let hello = server.read()
            try await client.write("hello")
            #expect(try await hello == Array("hello".utf8))
        }
        let descriptor = try server.takeDescriptor()
        #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
        #expect(await code { try await server.write("x") } == .closed)
        await server.finish()
        #expect(send(descriptor, "x", 1, 0) == 1)
        #expect(try await client.read() == [UInt8(ascii: "x")])
        close(descriptor)
        #expect(try await client.read() == [])
    }

    @Test("whoever reads or writes after a cut is told of a cancellation, as who waited was")
    func afterCut() async throws {
        let errors = Recorder<any Error>()
        let open = Gate()
        let server = await TestServer(
            try .bind(.host("127.0.0.1", port: 0), name: "http"),
            handler: Handler { connection in
                open.open()
                for _ in 1...2 {
                    do { _ = try await connection.read() } catch { errors.add(error) }
                    do { try await connection.write("x") } catch { errors.add(error) }
                }
            }
        )
        let client = try server.connect()
        await open.wait()
        server.cancel()
        await errors.wait(forCount: 4)
        #expect(errors.all.allSatisfy { $0 is CancellationError })
        await client.finish()
    }
}
