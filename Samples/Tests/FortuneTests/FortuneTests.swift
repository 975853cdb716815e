import DaemonKit
import Glibc
import ProgramTesting
import Testing

@testable import fortune

@Suite("fortune", .timeLimit(.minutes(1)))
struct FortuneTests {
    private let quotes = Set(Quotes.all.map { $0 + "\r\n" })

    @Test("F-03 without arguments it prints one quote, whatever else it has been given, and ends well")
    func prints() async throws {
        let other = try Client.bind(.stream)
        defer { close(other.descriptor) }
        for descriptors in [[], [other.descriptor]] {
            let program = try Program("fortune", descriptors: descriptors)
            let (code, output) = await program.ended()
            #expect(code == 0)
            #expect(quotes.contains(output))
            #expect(program.lines.isEmpty)
        }
    }

    @Test("an argument that it does not know is told on standard error, and nothing on standard output")
    func usage() async throws {
        let program = try Program("fortune", ["server"])
        let (code, output) = await program.ended()
        #expect(code == EX_USAGE)
        #expect(output.isEmpty)
        #expect(program.lines.first?.contains("usage") == true)
    }

    @Test("a client of TCP gets one quote and the end, also many at once, and also one that sends")
    func tcp() async throws {
        let program = try Program("fortune", ["serve"], variables: ["PORT": "0"])
        let port = try await program.port(of: "qotd")
        let clients = try (0..<20).map { _ in try Client.connect(.stream, port: port) }
        for client in clients {
            #expect(quotes.contains(try await client.readAll()))
            client.close()
        }
        let talker = try Client.connect(.stream, port: port)
        async let talking: Void = talker.write([UInt8](repeating: 7, count: 200_000))
        #expect(quotes.contains(try await talker.readAll()))
        try await talking
        talker.close()
        #expect(await program.stop() == 0)
    }

    @Test(
        "any datagram is answered with a quote, from the address that was asked",
        arguments: [
            ("127.0.0.1", ""), ("127.0.0.2", "?"), ("127.0.0.1", String(repeating: "x", count: 5000)),
        ]
    )
    func udp(host: String, question: String) async throws {
        let program = try Program("fortune", ["serve"], variables: ["PORT": "0"])
        let client = try Client.connect(.datagrams, host: host, port: try await program.port(of: "qotd-udp"))
        if question.isEmpty {
            let descriptor = try client.takeDescriptor()
            #expect(send(descriptor, "", 0, 0) == 0)
            #expect(quotes.contains(try await Connection(adopting: descriptor).read().text))
        } else {
            try await client.write(question)
            #expect(quotes.contains(try await client.read().text))
        }
        #expect(await program.stop() == 0)
    }

    @Test("sockets of one unit, for both protocols and of no known name, are both served")
    func passed() async throws {
        let (tcp, udp) = (try Client.bind(.stream), try Client.bind(.datagrams))
        let program = try Program(
            "fortune",
            ["serve"],
            variables: ["LISTEN_FDNAMES": "fortune-serve.socket:fortune-serve.socket"],
            descriptors: [tcp.descriptor, udp.descriptor]
        )
        for descriptor in [tcp.descriptor, udp.descriptor] { close(descriptor) }
        #expect(quotes.contains(try await Client.connect(.stream, port: tcp.port).readAll()))
        let client = try Client.connect(.datagrams, port: udp.port)
        try await client.write("?")
        #expect(quotes.contains(try await client.read().text))
        // Both ports are those that were passed.
        #expect(try await program.line(with: "listener qotd: ").hasSuffix("passed by the service manager"))
        #expect(
            try await program.line(with: "listener qotd-udp: ").hasSuffix("passed by the service manager")
        )
        #expect(await program.stop() == 0)
    }
}

extension [UInt8] {
    fileprivate var text: String { String(decoding: self, as: UTF8.self) }
}
