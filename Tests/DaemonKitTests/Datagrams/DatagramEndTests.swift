import DaemonKit
import Foundation
import Glibc
import SupervisionTesting
import Testing

@testable import DaemonKit

@Suite("The end of the datagram loop", .timeLimit(.minutes(1)))
struct DatagramEndTests {
    /// Serves a socket with one handler at a time, and sends it eight: the first is in hand, the others wait.
    private func held(
        _ socket: DatagramSocket,
        handling: @escaping @Sendable (String) throws -> Void = { _ in }
    ) async throws -> (
        server: DatagramServer, client: Connection, gate: Gate, handled: Recorder<String>
    ) {
        let gate = Gate()
        let begun = Recorder<Void>()
        let handled = Recorder<String>()
        let server = await DatagramServer(socket, maxConcurrent: 1) { datagram in
            begun.add(())
            try await gate.waitUnlessCancelled()
            datagram.reply("done")
            let text = String(decoding: datagram.bytes, as: UTF8.self)
            try handling(text)
            handled.add(text)
        }
        let client = try server.connect()
        for index in 1...8 { try client.send("\(index)") }
        await begun.wait(forCount: 1)
        return (server, client, gate, handled)
    }

    @Test("a bound socket that drains answers what has arrived, and nothing that comes after")
    func bound() async throws {
        let socket = try DatagramSocket.bind(.unix(DatagramServer.name()), name: "s")
        let address = socket.localAddress
        let (server, client, gate, handled) = try await held(socket) { text in
            // Taken after the drain began, for the first one had the only place: and before that, new ones are refused.
            guard text == "2" else { return }
            try TestClient.connect(to: address, type: SOCK_DGRAM).send("late")
        }
        server.session.beginDrain()
        gate.open()
        try await server.ended()
        #expect(handled.all == ["1", "2", "3", "4", "5", "6", "7", "8"])
        for _ in 1...8 { #expect(try await client.read() == Array("done".utf8)) }
    }

    @Test("what is sent to a socket that refuses does not arrive, and what had arrived stays")
    func refuse() throws {
        let socket = try DatagramSocket.bind(.host("127.0.0.1", port: 0), name: "udp")
        let client = try TestClient.connectBlocking(to: socket.localAddress, type: SOCK_DGRAM)
        #expect(send(client, "a", 1, 0) == 1)
        var byte: UInt8 = 0
        // It is there as soon as the kernel has taken it from the loopback, which is not at once on a busy machine.
        #expect(recv(socket.descriptor, &byte, 1, CInt(MSG_PEEK)) == 1 || errno == EAGAIN)
        socket.refuse()
        #expect(send(client, "b", 1, 0) == 1)
        close(client)
        var found: [UInt8] = []
        while recv(socket.descriptor, &byte, 1, 0) == 1 { found.append(byte) }
        #expect(!found.contains(UInt8(ascii: "b")))
    }

    @Test("a passed socket that drains is left at once: the rest is there for the next process")
    func passed() async throws {
        let bound = try DatagramSocket.bind(.unix(DatagramServer.name()), name: "s")
        let duplicate = fcntl(bound.descriptor, F_DUPFD_CLOEXEC, 3)
        let (server, client, gate, handled) = try await held(
            DatagramSocket(adopting: duplicate, name: "s", origin: .passed)
        )
        server.session.beginDrain()
        gate.open()
        try await server.ended()
        #expect(handled.all == ["1"])
        // What comes now is not refused either.
        try client.send("9")
        let rest = Recorder<String>()
        let next = await DatagramServer(bound) { rest.add(String(decoding: $0.bytes, as: UTF8.self)) }
        #expect(await rest.wait(forCount: 8).sorted() == ["2", "3", "4", "5", "6", "7", "8", "9"])
        try await next.drain()
    }

    @Test("a drain that comes before the start takes nothing from a passed socket")
    func drainedBefore() async throws {
        let socket = try DatagramSocket.bind(.unix(DatagramServer.name()), name: "s")
        let duplicate = fcntl(socket.descriptor, F_DUPFD_CLOEXEC, 3)
        let client = try TestClient.connect(to: socket.localAddress, type: SOCK_DGRAM)
        try client.send("x")
        let session = ServingSession(name: "s", expectedSockets: 1)
        session.beginDrain()
        let loop = DatagramLoop(
            socket: try DatagramSocket(adopting: duplicate, name: "s"),
            session: session,
            maxDatagramSize: 100
        )
        try await loop.run { _ in Issue.record("received") }
        var byte: UInt8 = 0
        #expect(recv(socket.descriptor, &byte, 1, 0) == 1)
    }

    @Test("a cancellation ends the handlers, and what is in no handler's hand is not begun")
    func cancelled() async throws {
        let cancelled = Recorder<Void>()
        let begun = Recorder<Void>()
        let never = Gate()
        let server = await DatagramServer(
            try .bind(.unix(DatagramServer.name()), name: "s"),
            maxConcurrent: 2
        ) { _ in
            begun.add(())
            do { try await never.waitUnlessCancelled() } catch { cancelled.add(()) }
        }
        let client = try server.connect()
        for _ in 0..<6 { try client.send("x") }
        await begun.wait(forCount: 2)
        server.cancel()
        try? await server.ended()
        #expect(begun.all.count == 2)
        #expect(cancelled.all.count == 2)
        #expect(server.session.connectionCount == 0)
        #expect(server.socket.descriptor == -1)
    }

    @Test("no descriptor, no thread is left: after drains and cancellations")
    func leaks() async {
        await #expect(processExitsWith: .success) {
            weak var last: ServingSession?
            weak var lastSocket: DatagramSocket?
            func round(_ index: Int) async throws {
                let endpoint = index % 3 == 0 ? Endpoint.unix(DatagramServer.name(path: true)) : .port(0)
                let server = await DatagramServer(try .bind(endpoint, name: "udp")) { $0.reply($0.bytes) }
                (last, lastSocket) = (server.session, server.socket)
                let client = try server.connect()
                for _ in 0..<10 { #expect(try await client.ask("hello") == "hello") }
                try await settle { try Threads.count("receive") == 1 }
                #expect(try Threads.count("receive") == 1)
                if index % 2 == 1 { server.cancel() } else { server.session.beginDrain() }
                try? await server.ended()
                await client.finish()
            }
            try await Leftovers.expectNone {
                for index in 0..<10 { try await round(index) }
                try await settle { try Threads.count("receive") == 0 && last == nil && lastSocket == nil }
            }
            #expect(try Threads.count("receive") == 0)
            #expect(last == nil)
            #expect(lastSocket == nil)
        }
    }
}
