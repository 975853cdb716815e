import DaemonKit
import Glibc
import ProgramTesting
import Testing

import struct HTTPTesting.TestCertificate

@testable import lehu

@Suite("lehu", .timeLimit(.minutes(1)))
struct LehuTests {
    /// The three sockets of the units: `https` and `quic` have one port.
    private struct Passed {
        let descriptors: [String: CInt]
        let ports: [String: Int]

        init() throws {
            let http = try Client.bind(.stream)
            // A port that is free by both protocols.
            while true {
                let https = try Client.bind(.stream)
                guard let quic = try? Client.bind(.datagrams, port: https.port) else {
                    Glibc.close(https.descriptor)
                    continue
                }
                descriptors = ["http": http.descriptor, "https": https.descriptor, "quic": quic.descriptor]
                ports = ["http": http.port, "https": https.port, "quic": quic.port]
                return
            }
        }

        func start(
            _ names: [String],
            as other: [String]? = nil,
            isForIt: Bool = true,
            certificate: TestCertificate? = .one
        ) throws -> Program {
            try Program(
                "lehu",
                variables: [
                    "LISTEN_FDNAMES": (other ?? names).joined(separator: ":"),
                    "LEHU_CERTIFICATE": certificate?.certificate ?? "", "LEHU_KEY": certificate?.key ?? "",
                    "PORT_HTTP": "0", "PORT_HTTPS": "0", "PORT_QUIC": "0",
                ],
                descriptors: names.compactMap { descriptors[$0] },
                isForIt: isForIt
            )
        }

        func close() {
            for descriptor in descriptors.values { Glibc.close(descriptor) }
        }
    }

    private func get(_ port: Int?) async throws -> String {
        let client = try Client.connect(.stream, port: #require(port))
        try await client.write("GET / HTTP/1.1\r\nHost: lehu\r\nConnection: close\r\n\r\n")
        return try await client.readAll()
    }

    /// Sends the begin of a connection, and gives the header of the answer.
    private func initial(_ port: Int?) async throws -> LongHeader? {
        let client = try Client.connect(.datagrams, port: #require(port))
        let packet = [0xC0, 0, 0, 0, 1, 2, 0xD1, 0xD2, 1, 0x51] as [UInt8]
        // One that is lost would hang the test: on the loopback, with a buffer that is empty, none is.
        try await client.write(packet + [UInt8](repeating: 0, count: 1200 - packet.count))
        return LongHeader(try await client.read())
    }

    @Test(
        "Q-03, Q-05 in every order each name gets its socket: http answers, and quic on the port of https",
        arguments: [
            ["http", "https", "quic"], ["http", "quic", "https"], ["https", "http", "quic"],
            ["https", "quic", "http"], ["quic", "http", "https"], ["quic", "https", "http"],
        ]
    )
    func orders(names: [String]) async throws {
        let passed = try Passed()
        defer { passed.close() }
        let program = try passed.start(names)
        let answer = try await get(passed.ports["http"])
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(answer.hasSuffix("\r\n\r\nHello from lehu!\n"))
        let header = try #require(try await initial(passed.ports["quic"]))
        #expect(header.version == 0)
        #expect(header.destination == [0x51])
        #expect(header.source == [0xD1, 0xD2])
        for name in Sockets.names {
            let line = try await program.line(with: "listener \(name): ")
            #expect(line.contains(":\(passed.ports[name] ?? 0), passed by the service manager"))
        }
        #expect(await program.stop() == 0)
    }

    @Test("Q-02 two sockets are not enough: it ends at once, and says how many are expected")
    func tooFew() async throws {
        let passed = try Passed()
        defer { passed.close() }
        let program = try passed.start(["http", "https"])
        #expect(await program.ended().code == ExitCode.configuration.rawValue)
        #expect(program.lines.contains { $0.contains("but 3 are expected: \"http\", \"https\", \"quic\"") })
        #expect(!program.lines.contains { $0.contains("listening") })
    }

    @Test("Q-04 a stream socket under quic is an error that says so, and so is a name that is missing")
    func wrong() async throws {
        let passed = try Passed()
        defer { passed.close() }
        let swapped = try passed.start(["http", "quic", "https"], as: ["http", "https", "quic"])
        #expect(await swapped.ended().code == ExitCode.startFailed.rawValue)
        #expect(swapped.lines.contains { $0.contains("should be a stream listener") })
        let missing = try passed.start(["http", "https", "quic"], as: ["http", "tls", "quic"])
        #expect(await missing.ended().code == ExitCode.startFailed.rawValue)
        #expect(missing.lines.contains { $0.contains("no socket called \"https\" was passed") })
    }

    @Test("without a certificate it does not begin, and says what it takes")
    func noCertificate() async throws {
        let passed = try Passed()
        defer { passed.close() }
        let program = try passed.start(Sockets.names, certificate: nil)
        #expect(await program.ended().code == ExitCode.configuration.rawValue)
        #expect(program.lines.contains { $0.contains("lehu.crt and lehu.key (LoadCredential=)") })
    }

    @Test("Q-01 sockets that are passed to another process are not touched: it serves ports of its own")
    func others() async throws {
        let passed = try Passed()
        defer { passed.close() }
        let program = try passed.start(["http", "https", "quic"], isForIt: false)
        let port = try await program.port(of: "http")
        #expect(port != passed.ports["http"])
        #expect(try await get(port).contains("Hello from lehu!"))
        #expect(try await initial(program.port(of: "quic"))?.version == 0)
        #expect(await program.stop() == 0)
        // Nobody has made it non-blocking.
        let flags = fcntl(passed.descriptors["http"] ?? -1, F_GETFL)
        #expect(flags >= 0 && flags & O_NONBLOCK == 0)
    }
}
