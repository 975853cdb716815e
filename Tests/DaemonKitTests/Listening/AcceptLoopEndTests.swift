import DaemonKit
import Foundation
import Glibc
import SupervisionTesting
import Synchronization
import Testing

@testable import DaemonKit

@Suite("The accept loop, drained and cancelled")
struct AcceptLoopEndTests {
    private func loopback(_ name: String = "http") throws -> ListeningSocket {
        try .bind(.host("127.0.0.1", port: 0), name: name)
    }

    /// For tests that look whether it is closed: a port that has become free may be another test's at once.
    private func ownName() throws -> ListeningSocket {
        try .bind(.unix("@accept-\(UUID().uuidString)"), name: "http")
    }

    @Test("a bound socket serves its backlog when drained, then refuses new clients")
    func drainBound() async throws {
        let draining = Recorder<Bool>()
        let server = await TestServer(
            try ownName(),
            maxConnections: 1,
            handler: Handler { connection in
                draining.add(connection.isDraining)
                _ = try await connection.readAll()
                try await connection.write("answer")
            }
        )
        let first = try server.connect()
        let waiting = [try server.connect(), try server.connect()]
        await draining.wait(forCount: 1)
        await server.incidents.wait(forCount: 1)
        server.session.beginDrain()
        for client in [first] + waiting {
            client.shutdownWrite()
            #expect(try await client.readAll() == Array("answer".utf8))
        }
        try await server.ended()
        #expect(draining.all == [false, true, true])
        #expect(throws: TestClient.Refused.self) { try server.connect() }
    }

    @Test("a bound socket at its limit with nobody waiting is closed while the connection goes on")
    func drainBoundAtLimit() async throws {
        let server = await TestServer(
            try loopback(),
            maxConnections: 1,
            handler: Handler { connection in
                try await connection.write("hello")
                _ = try await connection.readAll()
                try await connection.write("bye")
            }
        )
        let port = try #require(server.address.port)
        let held = try server.connect()
        #expect(try await held.read() == Array("hello".utf8))
        await server.incidents.wait(forCount: 1)
        server.session.beginDrain()
        // The port can be had again as soon as nobody listens there, and no event tells of it. A client that tried
        // would wait in the backlog, and so change what is tested.
        while (try? ListeningSocket.bind(.host("127.0.0.1", port: port), name: "next")) == nil {
            await Task.yield()
        }
        #expect(server.session.connectionCount == 1)
        held.shutdownWrite()
        #expect(try await held.readAll() == Array("bye".utf8))
        try await server.ended()
    }

    @Test("a passed socket is left at once when drained, and its backlog to who serves it next")
    func drainPassed() async throws {
        let master = try loopback()
        func duplicate() throws -> ListeningSocket {
            try ListeningSocket(adopting: dup(master.descriptor), name: "http", origin: .passed)
        }
        func named(_ name: String) -> Handler {
            Handler { connection in
                _ = try await connection.read()
                try await connection.write(name)
            }
        }
        let old = await TestServer(try duplicate(), maxConnections: 1, handler: named("old"))
        let first = try old.connect()
        let waiting = try old.connect()
        await old.incidents.wait(forCount: 1)
        old.session.beginDrain()

        let new = await TestServer(try duplicate(), handler: named("new"))
        try await waiting.write("x")
        #expect(try await waiting.readAll() == Array("new".utf8))
        // Its own goes on until it is done.
        #expect(old.session.connectionCount == 1)
        try await first.write("x")
        #expect(try await first.readAll() == Array("old".utf8))
        try await old.ended()
        #expect(
            try await {
                let later = try new.connect()
                try await later.write("x")
                return try await later.readAll()
            }() == Array("new".utf8)
        )
        try await new.drain()
    }

    @Test(
        "who comes before the listener has started is accepted when it has, and by nobody if it may not start"
    )
    func drainWhileStarting() async throws {
        let master = try loopback()
        let client = try TestClient.connect(to: master.localAddress)
        try await client.write("hello")
        for mayGoOn in [false, true] {
            let events = Recorder<String>()
            let session = ServingSession(
                name: "http",
                expectedSockets: 1,
                onStarted: { session in
                    events.add("started")
                    if !mayGoOn { session.beginDrain() }
                }
            )
            let socket = try ListeningSocket(adopting: dup(master.descriptor), name: "http", origin: .passed)
            let task = Task {
                let loop = AcceptLoop(
                    socket: socket,
                    session: session,
                    accept: { descriptor in
                        events.add("accepting")
                        return AcceptThread.system(descriptor)
                    }
                )
                try await loop.run { try await Handler.echo.handle($0) }
            }
            if mayGoOn {
                #expect(try await client.read() == Array("hello".utf8))
                #expect(events.all.prefix(2) == ["started", "accepting"])
                client.close()
                session.beginDrain()
            }
            try await task.value
            if !mayGoOn { #expect(events.all == ["started"]) }
        }
    }

    @Test("the backlog of a passed socket is left also when a connection ends and makes room")
    func drainPassedWithRoom() async throws {
        let master = try loopback()
        let socket = try ListeningSocket(adopting: dup(master.descriptor), name: "http", origin: .passed)
        let old = await TestServer(socket, maxConnections: 1, handler: .echo)
        let first = try old.connect()
        #expect(try await first.roundTrip("x") == "x")
        let waiting = try old.connect()
        try await waiting.write("hello")
        await old.incidents.wait(forCount: 1)
        try await old.drain()

        let new = await TestServer(
            master,
            handler: Handler { connection in
                _ = try await connection.read()
                try await connection.write("new")
            }
        )
        #expect(try await waiting.readAll() == Array("new".utf8))
        try await new.drain()
    }

    @Test("a drain ends idle connections through their closures, and waits for busy ones")
    func drainConnections() async throws {
        let server = await TestServer(try loopback(), handler: .echo)
        let idle = try server.connect()
        let used = try server.connect()
        #expect(try await used.roundTrip("hello") == "hello")
        try await server.drain()
        #expect(try await idle.readAll() == [])
        #expect(try await used.readAll() == [])
    }

    @Test("a session that drains before it is served accepts nobody from a passed socket")
    func drainBeforeServing() async throws {
        let master = try loopback()
        let socket = try ListeningSocket(adopting: dup(master.descriptor), name: "http")
        let client = try TestClient.connect(to: master.localAddress)
        let session = ServingSession(name: "http", expectedSockets: 1)
        session.beginDrain()
        try await Handler.echo.serve(socket, in: session)
        let next = await TestServer(master, handler: .echo)
        #expect(try await client.roundTrip("x") == "x")
        client.close()
        try await next.drain()
    }

    // MARK: Cancellation

    @Test("cancelling closes every connection and ends every handler, whatever it waits for")
    func cancel() async throws {
        let ended = Recorder<Bool>()
        let server = await TestServer(
            try ownName(),
            handler: Handler { connection in
                do {
                    while true { try await connection.write([UInt8](repeating: 0, count: 1 << 20)) }
                } catch {
                    ended.add(error is CancellationError)
                }
            }
        )
        let clients = try (0..<10).map { _ in try server.connect() }
        for client in clients { _ = try await client.read(upTo: 1) }
        server.cancel()
        try await server.ended()
        #expect(ended.all == Array(repeating: true, count: 10))
        #expect(server.session.connectionCount == 0)
        #expect(server.incidents.all.isEmpty)
        #expect(throws: TestClient.Refused.self) { try server.connect() }
    }

    @Test("a connection is closed by cancelling though its handler does not look")
    func cancelDeaf() async throws {
        let release = Gate()
        let began = Recorder<Void>()
        let server = await TestServer(
            try loopback(),
            handler: Handler { _ in
                began.add(())
                await release.wait()
            }
        )
        let client = try server.connect()
        await began.wait(forCount: 1)
        server.cancel()
        #expect(try await client.readAll() == [])
        release.open()
        try await server.ended()
    }

    @Test("a task cancelled before it serves accepts nobody from a passed socket")
    func cancelledBefore() async throws {
        let master = try loopback()
        let socket = try ListeningSocket(adopting: dup(master.descriptor), name: "http")
        let client = try TestClient.connect(to: master.localAddress)
        let session = ServingSession(name: "http", expectedSockets: 1)
        let task = Task {
            await session.drainRequested()
            try await Handler.echo.serve(socket, in: session)
        }
        task.cancel()
        try await task.value
        #expect(socket.descriptor == -1)
        let next = await TestServer(master, handler: .echo)
        #expect(try await client.roundTrip("x") == "x")
        client.close()
        try await next.drain()
    }
}
