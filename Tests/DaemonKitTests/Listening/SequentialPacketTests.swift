import DaemonKit
import Foundation
import Glibc
import SupervisionTesting
import Systemd
import Testing

@testable import DaemonKit

@Suite("Sequential packets", .timeLimit(.minutes(1)))
struct SequentialPacketTests {
    private func server(
        _ path: String = "@packets-\(UUID().uuidString)",
        _ body: @escaping @Sendable (Connection) async throws -> Void
    ) async throws -> (server: TestServer, client: Connection) {
        let server = await TestServer(
            try .bind(.unix(path), kind: .sequentialPackets, name: "s"),
            handler: Handler(body: body)
        )
        return (server, try TestClient.connect(to: server.address, type: SOCK_SEQPACKET))
    }

    @Test("one read gives one record, whole, whatever its size")
    func records() async throws {
        let records = [1, 5, 0, 10_000, 3, 0].map { [UInt8](repeating: UInt8($0 % 251), count: $0) }
        let seen = Recorder<[[UInt8]]>()
        let (server, client) = try await server { connection in
            #expect(connection.kind == .sequentialPackets)
            var all: [[UInt8]] = []
            while let record = try await connection.readRecord() { all.append(record) }
            seen.add(all)
            for record in all { try await connection.write(record) }
        }
        for record in records { try await client.write(record) }
        client.shutdownWrite()
        #expect(await seen.wait(forCount: 1).first == records)
        for record in records { #expect(try await client.readRecord() == record) }
        #expect(try await client.readRecord() == nil)
        #expect(try await client.readRecord() == nil)
        try await server.drain()
    }

    @Test("empty records right before the peer's close are records, not the end")
    func emptyBeforeClose() async throws {
        let gate = Gate()
        let seen = Recorder<[[UInt8]]>()
        let (server, client) = try await server { connection in
            try await gate.waitUnlessCancelled()
            var all: [[UInt8]] = []
            while let record = try await connection.readRecord() { all.append(record) }
            seen.add(all)
        }
        try await client.write("a")
        try await client.write("")
        try await client.write("")
        await client.finish()
        gate.open()
        #expect(await seen.wait(forCount: 1).first == [Array("a".utf8), [], []])
        try await server.drain()
    }

    @Test("a record that is longer than was asked for is lost with an error; the next one can be read")
    func tooLong() async throws {
        let (server, client) = try await server { connection in
            try await connection.write("123456")
            try await connection.write("123")
            try await connection.write(String(repeating: "x", count: 4))
            _ = try await connection.read()
        }
        let error = await #expect(throws: SocketError.self) { try await client.read(upTo: 4) }
        #expect(error?.code == .tooLong)
        #expect(try await client.read(upTo: 4) == Array("123".utf8))
        #expect(try await client.read(upTo: 4) == Array("xxxx".utf8))
        client.close()
        try await server.drain()
    }

    @Test("a record that the system cannot take is an error, and nothing of it is sent")
    func unsendable() async throws {
        let (server, client) = try await server { try await Handler.echo.handle($0) }
        let error = await #expect(throws: SocketError.self) {
            try await client.write([UInt8](repeating: 1, count: 1 << 24))
        }
        #expect(error?.code == .tooLong)
        #expect(try await client.roundTrip("next") == "next")
        client.close()
        try await server.drain()
    }

    @Test("records wait for a slow reader, in order and each whole")
    func backpressure() async throws {
        let count = 2000
        let (server, client) = try await server { connection in
            for index in 0..<count {
                try await connection.write("\(index) " + String(repeating: "x", count: 2000))
            }
        }
        for index in 0..<count {
            let record = String(decoding: try await client.readRecord() ?? [], as: UTF8.self)
            #expect(record.count == 2001 + "\(index)".count && record.hasPrefix("\(index) "))
        }
        #expect(try await client.readRecord() == nil)
        try await server.drain()
    }

    @Test("a listener serves them on a passed socket, or on a path of its own which is gone afterwards")
    func listener() async throws {
        for isPassed in [true, false] {
            let path = "\(NSTemporaryDirectory())/packets-\(UUID().uuidString.prefix(8))"
            let sockets =
                isPassed ? [try PassedSocket("control", at: .unix(path), kind: .sequentialPackets)] : []
            let trial = try DaemonTrial(sockets: sockets) {
                Supervisor {
                    Listener("control", kind: .sequentialPackets, fallback: .unix(path)) { connection in
                        while let record = try await connection.readRecord() {
                            try await connection.write(record)
                        }
                    }
                }
            }
            try await trial.ready()
            let client = try TestClient.connect(to: .unix(path: path), type: SOCK_SEQPACKET)
            try await client.write("a")
            try await client.write("b")
            #expect(try await client.readRecord() == Array("a".utf8))
            #expect(try await client.readRecord() == Array("b".utf8))
            client.close()
            #expect(await trial.stop() == .clean)
            // It is the test's own that keeps the file.
            withExtendedLifetime(sockets) {
                #expect(FileManager.default.fileExists(atPath: path) == isPassed)
            }
        }
    }

    @Test("a stream socket is no socket of packets, nor the other way round; and a port has none")
    func wrongKind() throws {
        func code(_ body: () throws -> Void) -> SocketError.Code? {
            do { try body() } catch { return (error as? SocketError)?.code }
            return nil
        }
        let stream = try ListeningSocket.bind(.unix("@packets-\(UUID().uuidString)"), name: "s")
        let packets = try ListeningSocket.bind(
            .unix("@packets-\(UUID().uuidString)"),
            kind: .sequentialPackets,
            name: "s"
        )
        #expect(
            code { _ = try ListeningSocket(adopting: stream.descriptor, name: "s", kind: .sequentialPackets) }
                == .notListening
        )
        #expect(code { _ = try ListeningSocket(adopting: packets.descriptor, name: "s") } == .notListening)
        #expect(
            code { _ = try ListeningSocket.bind(.port(0), kind: .sequentialPackets, name: "s") }
                == .invalidEndpoint
        )
    }

    @Test("a socket that cannot be kept is refused before anything starts")
    func keeping() async throws {
        let trial = try DaemonTrial {
            Supervisor {
                Listener("s", kind: .sequentialPackets, fallback: .unix("/s"), keepsSocket: true) { _ in }
            }
        }
        #expect(await trial.end() == .configuration)
        #expect(trial.log.all.last?.contains("only stream sockets can be kept") == true)
    }
}
