import DaemonKit
import Foundation
import Glibc
import SupervisionTesting
import Synchronization
import Testing

@testable import DaemonKit

@Suite("The accept loop")
struct AcceptLoopTests {
    private func loopback(_ name: String = "http") throws -> ListeningSocket {
        try .bind(.host("127.0.0.1", port: 0), name: name)
    }

    // MARK: Serving

    @Test("IPv4 and IPv6 clients of one socket are served, each peer by its own kind of address")
    func dualStack() async throws {
        let peers = Recorder<SocketAddress>()
        let server = await TestServer(
            try .bind(.port(0), name: "http"),
            handler: Handler { connection in
                peers.add(connection.peer)
                try await Handler.echo.handle(connection)
            }
        )
        let port = try #require(server.address.port)
        for address in [SocketAddress.ipv4(host: "127.0.0.1", port: port), .ipv6(host: "::1", port: port)] {
            let client = try TestClient.connect(to: address)
            #expect(try await client.roundTrip("hello") == "hello")
        }
        try await server.drain()
        let hosts = peers.all.map { peer in
            switch peer {
            case .ipv4(let host, _), .ipv6(let host, _): host
            default: "\(peer)"
            }
        }
        #expect(hosts == ["127.0.0.1", "::1"])
    }

    @Test("clients of a Unix socket are served, and its file is gone afterwards")
    func unix() async throws {
        let path = "\(NSTemporaryDirectory())/accept-\(UUID().uuidString.prefix(8))"
        let server = await TestServer(try .bind(.unix(path), name: "s"), handler: .echo)
        let client = try server.connect()
        #expect(try await client.roundTrip("hello") == "hello")
        try await server.drain()
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("many clients are served at once")
    func many() async throws {
        let everyone = Recorder<Void>()
        let server = await TestServer(
            try loopback(),
            handler: Handler { connection in
                everyone.add(())
                // Nobody is answered before all are here.
                await everyone.wait(forCount: 50)
                try await Handler.echo.handle(connection)
            }
        )
        try await withThrowingTaskGroup { group in
            for index in 0..<50 {
                group.addTask {
                    let client = try server.connect()
                    let text = String(repeating: "\(index) ", count: 1000)
                    #expect(try await client.roundTrip(text) == text)
                }
            }
            try await group.waitForAll()
        }
        try await server.drain()
        #expect(server.session.connectionCount == 0)
    }

    @Test("each connection has TCP_NODELAY, and is close-on-exec and non-blocking")
    func options() async throws {
        let found = Recorder<[CInt]>()
        let server = await TestServer(
            try loopback(),
            handler: Handler { connection in
                let descriptor = try connection.takeDescriptor()
                defer { close(descriptor) }
                var noDelay: CInt = 0
                var size = socklen_t(MemoryLayout<CInt>.size)
                getsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &noDelay, &size)
                let flags = [
                    fcntl(descriptor, F_GETFD) & FD_CLOEXEC, fcntl(descriptor, F_GETFL) & O_NONBLOCK,
                ]
                found.add([noDelay] + flags)
            }
        )
        _ = try server.connect()
        #expect(await found.wait(forCount: 1) == [[1, FD_CLOEXEC, O_NONBLOCK]])
        try await server.drain()
    }

    @Test("a handler that throws ends its own connection, which is reported")
    func failingHandler() async throws {
        struct Oops: Error {}
        let server = await TestServer(
            try loopback(),
            handler: Handler { connection in
                if try await connection.read() == Array("fail".utf8) { throw Oops() }
                try await connection.write("fine")
            }
        )
        let good = try server.connect()
        let bad = try server.connect()
        try await bad.write("fail")
        #expect(try await bad.readAll() == [])
        try await good.write("ask")
        #expect(try await good.readAll() == Array("fine".utf8))
        try await server.drain()
        guard case .connectionFailed(_, let error) = server.incidents.all.first else {
            Issue.record("not reported: \(server.incidents.all)")
            return
        }
        #expect(error is Oops)
        #expect(server.incidents.all.count == 1)
    }

    @Test("a socket that was closed cannot be served, and says so")
    func closedSocket() async throws {
        let socket = try loopback()
        socket.close()
        let session = ServingSession(name: "http", expectedSockets: 1)
        let error = await #expect(throws: SocketError.self) {
            try await Handler.echo.serve(socket, in: session)
        }
        #expect(error?.code == .closed)
    }

    // MARK: The limit

    @Test("at the limit the next client is not accepted until a connection closes")
    func limit() async throws {
        let log = Recorder<String>()
        let server = await TestServer(
            try loopback(),
            maxConnections: 2,
            handler: Handler { connection in
                log.add("began")
                _ = try await connection.readAll()
                log.add("ended")
            }
        )
        let clients = [try server.connect(), try server.connect(), try server.connect()]
        await server.incidents.wait(forCount: 1)
        await log.wait(forCount: 2)
        #expect(server.session.connectionCount == 2)
        clients[0].close()
        clients[1].close()
        await log.wait(forCount: 4)
        clients[2].close()
        await log.wait(forCount: 6)
        #expect(Array(log.all.prefix(3)) == ["began", "began", "ended"])
        guard case .connectionLimitReached(limit: 2) = server.incidents.all[0] else {
            Issue.record("\(server.incidents.all)")
            return
        }
        try await server.drain()
    }

    @Test("the limit holds over all sockets of a session")
    func limitOfSeveral() async throws {
        let sockets = [try loopback("a"), try loopback("b")]
        let started = Recorder<Void>()
        let counts = Recorder<Int>()
        let session = ServingSession(
            name: "http",
            expectedSockets: 2,
            maxConnections: 1,
            onStarted: { _ in started.add(()) }
        )
        let handler = Handler { connection in
            counts.add(session.connectionCount)
            try await Handler.echo.handle(connection)
        }
        let task = Task {
            try await withThrowingTaskGroup { group in
                for socket in sockets { group.addTask { try await handler.serve(socket, in: session) } }
                try await group.waitForAll()
            }
        }
        await started.wait(forCount: 1)
        try await withThrowingTaskGroup { group in
            for index in 0..<20 {
                group.addTask {
                    let client = try TestClient.connect(to: sockets[index % 2].localAddress)
                    #expect(try await client.roundTrip("x") == "x")
                    client.close()
                }
            }
            try await group.waitForAll()
        }
        session.beginDrain()
        try await task.value
        #expect(counts.all == Array(repeating: 1, count: 20))
    }
}
