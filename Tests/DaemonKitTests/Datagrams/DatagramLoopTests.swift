import DaemonKit
import Foundation
import Glibc
import SupervisionLock
import SupervisionTesting
import Testing

@testable import DaemonKit

// The floods take their time where a sanitizer looks on, on a busy machine.
@Suite("The datagram loop", .timeLimit(.minutes(5)))
struct DatagramLoopTests {
    private static let echo: @Sendable (Datagram) async throws -> Void = { $0.reply($0.bytes) }

    private func host(_ address: SocketAddress?) -> String? {
        switch address {
        case .ipv4(let host, _), .ipv6(let host, _): host
        case .unix, .other, nil: nil
        }
    }

    // MARK: Addresses

    @Test(
        "a socket for every address answers from the one that was asked, and tells it",
        arguments: [
            (Endpoint.port(0), "127.0.0.1"), (.port(0), "127.0.0.2"), (.port(0), "::1"),
            (.host("0.0.0.0", port: 0), "127.0.0.3"), (.host("::", port: 0), "::1"),
        ]
    )
    func asked(endpoint: Endpoint, host: String) async throws {
        let seen = Recorder<Datagram>()
        let server = await DatagramServer(try .bind(endpoint, name: "udp")) { datagram in
            seen.add(datagram)
            datagram.reply("from \(datagram.local)")
        }
        let port = try #require(server.address.port)
        let address: SocketAddress =
            host.contains(":") ? .ipv6(host: host, port: port) : .ipv4(host: host, port: port)
        // It is connected: what comes from another address than it asked would not reach it.
        let client = try server.connect(to: address)
        #expect(try await client.ask("who?") == "from \(address)")
        let datagram = try #require(seen.all.first)
        #expect(datagram.local == address)
        #expect(self.host(datagram.peer) == (host == "::1" ? "::1" : "127.0.0.1"))
        let own = try client.withDescriptor { SocketAddress.local(of: $0) }
        #expect(datagram.peer == own)
        try await server.drain()
    }

    @Test(
        "what was sent to all of a network is answered from an address of the machine",
        arguments: [Endpoint.port(0), .host("0.0.0.0", port: 0)]
    )
    func broadcast(endpoint: Endpoint) async throws {
        let replies = Recorder<(local: SocketAddress, outcome: ReplyOutcome)>()
        let server = await DatagramServer(try .bind(endpoint, name: "udp")) { datagram in
            replies.add((datagram.local, datagram.reply("here")))
        }
        let port = try #require(server.address.port)
        let client = try TestClient.broadcast("who?", to: "127.255.255.255", port: port)
        let reply = try #require(await replies.wait(forCount: 1).first)
        #expect(reply.local == .ipv4(host: "127.255.255.255", port: port))
        guard case .sent = reply.outcome else {
            Issue.record("\(reply.outcome)")
            return
        }
        #expect(try await client.read() == Array("here".utf8))
        try await server.drain()
    }

    @Test("clients of a Unix socket are answered by their names, and its file is gone afterwards")
    func unix() async throws {
        let path = DatagramServer.name(path: true)
        let server = await DatagramServer(try .bind(.unix(path), name: "s"), handler: Self.echo)
        #expect(server.address == .unix(path: path))
        #expect(try await server.connect().ask("hello") == "hello")
        try await server.drain()
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("an abstract name is served, and a peer without a name cannot be answered")
    func unnamed() async throws {
        let outcomes = Recorder<(peer: SocketAddress?, local: SocketAddress, outcome: ReplyOutcome)>()
        let server = await DatagramServer(try .bind(.unix(DatagramServer.name()), name: "s")) { datagram in
            outcomes.add((datagram.peer, datagram.local, datagram.reply(datagram.bytes)))
        }
        try await server.connect(isNamed: false).write("hello")
        let first = try #require(await outcomes.wait(forCount: 1).first)
        #expect(first.peer == nil)
        #expect(first.local == server.address)
        guard case .unnamedPeer = first.outcome else {
            Issue.record("\(first.outcome)")
            return
        }
        let named = try server.connect()
        #expect(try await named.ask("hello") == "hello")
        #expect(outcomes.all.last?.peer == (try named.withDescriptor { .local(of: $0) }))
        try await server.drain()
    }

    @Test("a file that a process left behind is replaced; one that is in use, or no socket, is not")
    func stale() async {
        // Alone: a process that another test starts has the closed socket open for a moment.
        await #expect(processExitsWith: .success) {
            let path = DatagramServer.name(path: true)
            func code(_ body: () throws -> Void) -> SocketError.Code? {
                do { try body() } catch { return (error as? SocketError)?.code }
                return nil
            }
            do {
                let first = try DatagramSocket.bind(.unix(path), name: "s")
                #expect(code { _ = try DatagramSocket.bind(.unix(path), name: "s") } == .cannotBind)
                // As a process does that is killed: the file stays.
                let copy = rename(path, path + "-kept")
                #expect(copy == 0)
                first.close()
            }
            #expect(rename(path + "-kept", path) == 0)
            let second = try DatagramSocket.bind(.unix(path), name: "s")
            // Another's by now: not to be removed.
            unlink(path)
            #expect(FileManager.default.createFile(atPath: path, contents: nil))
            second.close()
            #expect(FileManager.default.fileExists(atPath: path))
            #expect(code { _ = try DatagramSocket.bind(.unix(path), name: "s") } == .cannotBind)
            unlink(path)
        }
    }

    @Test("a port that is taken is an error, also for a second socket of the same process")
    func taken() throws {
        let first = try DatagramSocket.bind(.host("127.0.0.1", port: 0), name: "udp")
        let port = try #require(first.localAddress.port)
        let error = #expect(throws: SocketError.self) {
            try DatagramSocket.bind(.host("127.0.0.1", port: port), name: "udp")
        }
        #expect(error?.code == .cannotBind)
        #expect(error?.errorNumber == EADDRINUSE)
    }

    // MARK: Sizes

    @Test("what is longer than the limit is cut, and says so; what is as long, or empty, is whole")
    func sizes() async throws {
        let seen = Recorder<Datagram>()
        let server = await DatagramServer(
            try .bind(.unix(DatagramServer.name()), name: "s"),
            maxDatagramSize: 8
        ) {
            seen.add($0)
        }
        let client = try server.connect()
        for (index, text) in ["123456789", "12345678", ""].enumerated() {
            try client.send(text)
            await seen.wait(forCount: index + 1)
        }
        #expect(
            seen.all.map { String(decoding: $0.bytes, as: UTF8.self) } == ["12345678", "12345678", ""]
        )
        #expect(seen.all.map(\.isTruncated) == [true, false, false])
        try await server.drain()
    }

    @Test("a whole batch comes as it was sent: each datagram with its own bytes and its own peer")
    func batch() async throws {
        let gate = Gate()
        let seen = Recorder<(peer: SocketAddress?, text: String)>()
        let server = await DatagramServer(
            try .bind(.host("127.0.0.1", port: 0), name: "udp"),
            maxConcurrent: 40
        ) { datagram in
            seen.add((datagram.peer, String(decoding: datagram.bytes, as: UTF8.self)))
            try await gate.waitUnlessCancelled()
        }
        let clients = try (0..<40).map { _ in try server.connect() }
        for (index, client) in clients.enumerated() { try client.send(String(repeating: "x", count: index)) }
        await seen.wait(forCount: 40)
        gate.open()
        for (index, client) in clients.enumerated() {
            let own = try client.withDescriptor { SocketAddress.local(of: $0) }
            #expect(seen.all.first { $0.peer == own }?.text == String(repeating: "x", count: index))
        }
        try await server.drain()
    }

    // MARK: Floods

    @Test("no more handlers run than may, and what is over that waits in the kernel's buffer")
    func bound() async throws {
        let gate = Gate()
        let begun = Recorder<Int>()
        let server = await DatagramServer(
            try .bind(.unix(DatagramServer.name()), name: "s"),
            maxConcurrent: 3
        ) { datagram in
            begun.add(datagram.bytes.count)
            try await gate.waitUnlessCancelled()
        }
        let client = try server.connect()
        for _ in 0..<3 { try client.send("x") }
        await begun.wait(forCount: 3)
        // The thread has no place for these: they are still there to be taken by somebody else.
        for _ in 0..<5 { try client.send("more") }
        var byte: UInt8 = 0
        #expect(recv(server.socket.descriptor, &byte, 1, CInt(MSG_PEEK) | CInt(MSG_DONTWAIT)) == 1)
        #expect(begun.all.count == 3)
        #expect(server.session.connectionCount == 3)
        gate.open()
        await begun.wait(forCount: 8)
        try await server.drain()
        #expect(begun.all == [1, 1, 1, 4, 4, 4, 4, 4])
        #expect(server.session.connectionCount == 0)
        #expect(server.incidents.all.isEmpty)
    }

    @Test("of a flood of 10,000 each is handled once where the sender waits, never more at once than may")
    func flood() async throws {
        let running = Locked((now: 0, most: 0))
        let seen = Locked(Set<String>())
        let server = await DatagramServer(
            try .bind(.unix(DatagramServer.name()), name: "s"),
            maxConcurrent: 4
        ) { datagram in
            running.withLock { ($0.now, $0.most) = ($0.now + 1, max($0.most, $0.now + 1)) }
            await Task.yield()
            _ = seen.withLock { $0.insert(String(decoding: datagram.bytes, as: UTF8.self)) }
            running.withLock { $0.now -= 1 }
        }
        let client = try server.connect()
        for index in 0..<10_000 { try await client.write("\(index)") }
        try await server.drain()
        #expect(seen.withLock { $0.count } == 10_000)
        #expect((1...4).contains(running.withLock { $0.most }))
    }

    @Test(
        "a flood of 10,000 over UDP is survived: the listener answers afterwards, and has kept to its bound"
    )
    func floodUDP() async throws {
        let running = Locked((now: 0, most: 0))
        let server = await DatagramServer(
            try .bind(.host("127.0.0.1", port: 0), name: "udp"),
            maxConcurrent: 4
        ) { datagram in
            running.withLock { ($0.now, $0.most) = ($0.now + 1, max($0.most, $0.now + 1)) }
            await Task.yield()
            if datagram.bytes.count == 5 { datagram.reply(datagram.bytes) }
            running.withLock { $0.now -= 1 }
        }
        let flood = try server.connect()
        let noise = [UInt8](repeating: 0, count: 1200)
        for _ in 0..<10_000 { try await flood.write(noise) }
        // One that is lost in the flood is sent again as soon as the kernel's buffer has room.
        let client = try server.connect()
        let answer = Recorder<String>()
        let reading = Task { answer.add(String(decoding: try await client.read(), as: UTF8.self)) }
        while answer.all.isEmpty {
            try await client.write("hello")
            await Task.yield()
        }
        try await reading.value
        #expect(answer.all == ["hello"])
        try await server.drain()
        #expect((1...4).contains(running.withLock { $0.most }))
    }

    // MARK: Failures

    @Test("handlers that throw end alone, and are told at the first, second, fourth")
    func failing() async throws {
        struct Oops: Error {}
        let server = await DatagramServer(try .bind(.unix(DatagramServer.name()), name: "s")) { datagram in
            datagram.reply("failed")
            throw Oops()
        }
        let client = try server.connect()
        for _ in 0..<7 { #expect(try await client.ask("?") == "failed") }
        try await server.drain()
        let counts = server.incidents.all.map { incident -> Int in
            guard case .datagramsFailed(let count, let peer, let error) = incident else { return 0 }
            #expect(error is Oops)
            #expect(peer != nil)
            return count
        }
        #expect(counts.sorted() == [1, 2, 4])
    }

    @Test("replies for which a peer has no room are dropped and counted; nothing waits for it")
    func dropped() async throws {
        let outcomes = Recorder<[String]>()
        let server = await DatagramServer(try .bind(.unix(DatagramServer.name()), name: "s")) { datagram in
            var dropped: [String] = []
            // More than net.unix.max_dgram_qlen has room for, which nobody reads.
            while dropped.count < 5 {
                switch datagram.reply("x") {
                case .sent: break
                case let other: dropped.append("\(other)")
                }
            }
            outcomes.add(dropped)
        }
        let client = try server.connect()
        try await client.write("?")
        #expect(await outcomes.wait(forCount: 1).first == Array(repeating: "dropped", count: 5))
        try await server.drain()
        let counts = server.incidents.all.map { incident -> Int in
            guard case .repliesDropped(let socket, let count) = incident else { return 0 }
            #expect(socket == server.address)
            return count
        }
        #expect(counts == [1, 2, 4])
        client.close()
    }

    @Test("a reply that is too long, to a peer that has gone, or after the end says so")
    func failedReplies() async {
        // Alone: a process that another test starts has the closed socket open for a moment.
        await #expect(processExitsWith: .success) {
            let seen = Recorder<Datagram>()
            let udp = await DatagramServer(try .bind(.host("127.0.0.1", port: 0), name: "udp")) {
                seen.add($0)
            }
            try await udp.connect().write("?")
            let unix = await DatagramServer(try .bind(.unix(DatagramServer.name()), name: "s")) {
                seen.add($0)
            }
            await seen.wait(forCount: 1)
            let client = try unix.connect()
            try await client.write("?")
            await seen.wait(forCount: 2)
            func code(_ outcome: ReplyOutcome) -> SocketError.Code? {
                guard case .failed(let error) = outcome else { return nil }
                return error.code
            }
            #expect(code(seen.all[0].reply([UInt8](repeating: 0, count: 65_508))) == .tooLong)
            await client.finish()
            #expect(code(seen.all[1].reply("x")) == .peerGone)
            try await udp.drain()
            try await unix.drain()
            #expect(code(seen.all[0].reply("x")) == .closed)
        }
    }

    @Test("what ICMP tells of a datagram that was sent is no failure")
    func refused() async throws {
        // An address that nobody else's tests use, so that its ports are not given away.
        let peer = try DatagramSocket.bind(.host("127.7.7.7", port: 0), name: "peer")
        let port = try #require(peer.localAddress.port)
        let descriptor = try TestClient.connectBlocking(to: peer.localAddress, type: SOCK_DGRAM)
        peer.close()
        let seen = Recorder<Datagram>()
        let server = await DatagramServer(try DatagramSocket(adopting: descriptor, name: "udp")) {
            seen.add($0)
        }
        // Nobody is there: the kernel tells so at the next call.
        for _ in 0..<3 { _ = send(descriptor, "x", 1, 0) }
        let again = try DatagramSocket.bind(.host("127.7.7.7", port: port), name: "peer")
        let client = try TestClient.connectBlocking(to: server.address, type: SOCK_DGRAM, from: again)
        #expect(send(client, "hello", 5, 0) == 5)
        #expect(await seen.wait(forCount: 1).first?.bytes == Array("hello".utf8))
        close(client)
        try await server.drain()
        #expect(server.incidents.all.isEmpty)
    }

    @Test("a socket that is none any more is the end of the loop, as an error")
    func unusable() async throws {
        let server = await DatagramServer(
            try .bind(.unix(DatagramServer.name()), name: "s"),
            handler: Self.echo
        )
        // Under its feet, another kind of file has its number.
        let other = open("/dev/null", O_RDONLY | O_CLOEXEC)
        let client = try server.connect()
        #expect(fcntl(dup2(other, server.socket.descriptor), F_SETFD, FD_CLOEXEC) == 0)
        close(other)
        // The thread still waits for the old one, which is gone: told of a drain, it looks at the new one.
        server.session.beginDrain()
        let error = await #expect(throws: SocketError.self) { try await server.ended() }
        #expect(error?.code == .receiveFailed)
        #expect(error?.errorNumber == ENOTSOCK)
        client.close()
    }
}

extension Connection {
    /// Sends one datagram, an empty one too.
    func send(_ text: String) throws {
        let count = try withDescriptor { Glibc.send($0, text, text.utf8.count, 0) }
        guard count == text.utf8.count else { throw TestClient.Refused(errorNumber: errno) }
    }
}
