import Foundation
import Glibc
import Testing

@testable import DaemonKit

@Suite("Which kept socket fits an endpoint")
struct EndpointMatchingTests {
    @Test(
        "a socket fits its own endpoint, in any spelling, and any port where any would do",
        arguments: [
            (Endpoint.port(0), [Endpoint.port(0)]),
            (.host("127.0.0.1", port: 0), [.host("::ffff:127.0.0.1", port: 0)]),
            (.host("::1", port: 0), [.host("0:0:0:0:0:0:0:1", port: 0)]),
            (.unix("@kept-\(UUID().uuidString)"), []),
        ] as [(Endpoint, [Endpoint])]
    )
    func fits(endpoint: Endpoint, others: [Endpoint]) throws {
        let socket = try ListeningSocket.bind(endpoint, name: "a")
        for spelling in [endpoint] + others {
            #expect(spelling.isBound(by: socket.descriptor))
            guard let port = socket.localAddress.port else { continue }
            #expect(spelling.with(port: port).isBound(by: socket.descriptor))
            #expect(!spelling.with(port: port ^ 1).isBound(by: socket.descriptor))
        }
    }

    @Test("a socket does not fit another endpoint")
    func doesNotFit() throws {
        let every = try ListeningSocket.bind(.port(0), name: "a")
        let one = try ListeningSocket.bind(.host("127.0.0.1", port: 0), name: "a")
        let unix = try ListeningSocket.bind(.unix("@kept-\(UUID().uuidString)"), name: "a")
        for (socket, endpoint) in [
            (every, Endpoint.host("127.0.0.1", port: 0)), (every, .unix("@kept")), (one, .port(0)),
            (one, .host("127.0.0.2", port: 0)), (one, .host("localhost", port: 0)), (unix, .port(0)),
            (unix, .unix("@kept")), (unix, .host("127.0.0.1", port: 0)),
        ] {
            #expect(!endpoint.isBound(by: socket.descriptor))
        }
        // An IPv6 socket that takes no IPv4 is another thing at the same address.
        let only = socket(AF_INET6, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        defer { close(only) }
        var on: CInt = 1
        try #require(setsockopt(only, CInt(IPPROTO_IPV6), IPV6_V6ONLY, &on, 4) == 0)
        try #require(listen(only, 1) == 0)
        #expect(!Endpoint.port(0).isBound(by: only))
        #expect(Endpoint.host("::", port: 0).isBound(by: only))
    }
}

extension Endpoint {
    fileprivate func with(port: Int) -> Endpoint {
        switch self {
        case .port: .port(port)
        case .host(let host, _): .host(host, port: port)
        case .unix: self
        }
    }
}
