import DaemonKit
import Foundation
import Glibc
import Testing

@testable import DaemonKit

@Suite("A listening socket")
struct ListeningSocketTests {
    /// A directory that is gone afterwards.
    private func withDirectory(_ body: (String) throws -> Void) throws {
        let path = "\(NSTemporaryDirectory())/listening-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    private func isOpen(_ descriptor: CInt) -> Bool { fcntl(descriptor, F_GETFD) >= 0 }

    private func code(_ body: () throws -> Void) -> SocketError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? SocketError)?.code
        }
    }

    private func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "nothing thrown"
        } catch {
            return "\(error)"
        }
    }

    // MARK: Binding

    @Test("port 0 binds one that is free, and says which; IPv4 and IPv6 clients reach it")
    func dualStack() throws {
        let socket = try ListeningSocket.bind(.port(0), name: "http")
        let port = try #require(socket.localAddress.port)
        #expect(port > 0)
        #expect(socket.origin == .bound)
        #expect(socket.localAddress == .ipv6(host: "::", port: port))
        for address in [SocketAddress.ipv4(host: "127.0.0.1", port: port), .ipv6(host: "::1", port: port)] {
            close(try TestClient.connectBlocking(to: address))
        }
    }

    @Test("a host is bound alone", arguments: ["127.0.0.1", "::1"])
    func host(_ host: String) throws {
        let socket = try ListeningSocket.bind(.host(host, port: 0), name: "http")
        let port = try #require(socket.localAddress.port)
        let expected = host == "::1" ? "[::1]:\(port)" : "127.0.0.1:\(port)"
        #expect("\(socket.localAddress)" == expected)
    }

    @Test("it is close-on-exec, non-blocking and may be bound again at once")
    func flags() throws {
        let socket = try ListeningSocket.bind(.host("127.0.0.1", port: 0), name: "http")
        #expect(fcntl(socket.descriptor, F_GETFD) & FD_CLOEXEC != 0)
        #expect(fcntl(socket.descriptor, F_GETFL) & O_NONBLOCK != 0)
        var reuse: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        getsockopt(socket.descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, &size)
        #expect(reuse == 1)
    }

    @Test(
        "what no machine could bind is an invalid endpoint",
        arguments: [
            Endpoint.port(-1), .port(65536), .port(.min), .port(.max), .host("127.0.0.1", port: 65536),
            .host("localhost", port: 80), .host("", port: 80), .host("127.0.0.1\0", port: 80),
            .host("[::1]", port: 80),
            .host("fe80::1%no-such-interface", port: 80),
            .host(String(repeating: "1:", count: 500), port: 80),
            .unix(""), .unix("@"), .unix("/a\0b"), .unix("/" + String(repeating: "a", count: 200)),
        ]
    )
    func invalid(_ endpoint: Endpoint) {
        #expect(code { _ = try ListeningSocket.bind(endpoint, name: "http") } == .invalidEndpoint)
    }

    @Test("a backlog below one is an invalid endpoint; a huge one is not", arguments: [0, -1, .min])
    func backlog(_ backlog: Int) throws {
        let endpoint = Endpoint.host("127.0.0.1", port: 0)
        #expect(
            code { _ = try ListeningSocket.bind(endpoint, backlog: backlog, name: "x") } == .invalidEndpoint
        )
        _ = try ListeningSocket.bind(endpoint, backlog: .max, name: "x")
    }

    @Test("errors name the endpoint, the listener, what was wrong and what would be right")
    func messages() throws {
        let port = message { _ = try ListeningSocket.bind(.port(70000), name: "http") }
        #expect(port == "cannot bind port 70000 for \"http\": ports are from 0 (any that is free) to 65535")
        let host = message { _ = try ListeningSocket.bind(.host("localhost", port: 80), name: "http") }
        #expect(host.contains("\"localhost\" is not an IPv4 or IPv6 address"))
        let first = try ListeningSocket.bind(.host("127.0.0.1", port: 0), name: "one")
        let taken = try #require(first.localAddress.port)
        let inUse = message { _ = try ListeningSocket.bind(.host("127.0.0.1", port: taken), name: "two") }
        #expect(inUse == "cannot bind 127.0.0.1:\(taken) for \"two\": Address already in use (errno 98)")
        let foreign = message { _ = try ListeningSocket.bind(.host("192.0.2.1", port: 0), name: "http") }
        #expect(foreign.contains("Cannot assign requested address"))
    }

    // MARK: Unix sockets

    @Test("the file of a Unix socket is there while it listens, and removed with it")
    func unixFile() throws {
        try withDirectory { directory in
            let path = "\(directory)/s"
            let socket = try ListeningSocket.bind(.unix(path), name: "s")
            #expect(socket.localAddress == .unix(path: path))
            close(try TestClient.connectBlocking(to: socket.localAddress))
            socket.close()
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test("a file that took the place of ours is not removed")
    func unixFileReplaced() throws {
        try withDirectory { directory in
            let first = try ListeningSocket.bind(.unix("\(directory)/s"), name: "s")
            // Our file goes on under another name, so that its inode is not given out again.
            #expect(rename("\(directory)/s", "\(directory)/old") == 0)
            let second = try ListeningSocket.bind(.unix("\(directory)/s"), name: "s")
            first.close()
            close(try TestClient.connectBlocking(to: second.localAddress))
        }
    }

    @Test("a socket that a dead process left is replaced")
    func unixStale() throws {
        try withDirectory { directory in
            let path = "\(directory)/s"
            let dead = try ListeningSocket.bind(.unix(path), name: "s")
            let descriptor = dead.takeDescriptor()
            // A process that another test starts may have inherited it for a moment.
            shutdown(descriptor, CInt(SHUT_RDWR))
            close(descriptor)
            #expect(FileManager.default.fileExists(atPath: path))
            let socket = try ListeningSocket.bind(.unix(path), name: "s")
            dead.close()
            close(try TestClient.connectBlocking(to: socket.localAddress))
        }
    }

    @Test("a socket with a listener is left alone, even one whose backlog is full")
    func unixInUse() throws {
        try withDirectory { directory in
            let path = "\(directory)/s"
            let first = try ListeningSocket.bind(.unix(path), backlog: 1, name: "s")
            var clients: [CInt] = []
            defer { for client in clients { close(client) } }
            for _ in 0..<2 { clients.append(try TestClient.connectBlocking(to: first.localAddress)) }
            #expect(code { _ = try ListeningSocket.bind(.unix(path), name: "s") } == .cannotBind)
            #expect(FileManager.default.fileExists(atPath: path))
        }
    }

    @Test("a file that is no socket is left alone")
    func unixOtherFile() throws {
        try withDirectory { directory in
            let path = "\(directory)/s"
            #expect(FileManager.default.createFile(atPath: path, contents: Data("precious".utf8)))
            #expect(code { _ = try ListeningSocket.bind(.unix(path), name: "s") } == .cannotBind)
            #expect(FileManager.default.contents(atPath: path) == Data("precious".utf8))
        }
    }

    @Test("an abstract name needs no file")
    func abstract() throws {
        let name = "@listening-\(UUID().uuidString)"
        let socket = try ListeningSocket.bind(.unix(name), name: "s")
        #expect(socket.localAddress == .unix(path: name))
        close(try TestClient.connectBlocking(to: socket.localAddress))
        #expect(code { _ = try ListeningSocket.bind(.unix(name), name: "s") } == .cannotBind)
    }

    // MARK: Adopting

    @Test("a passed socket is adopted, made close-on-exec and non-blocking, its backlog left as it is")
    func adopt() throws {
        let bound = try ListeningSocket.bind(.host("127.0.0.1", port: 0), name: "http")
        let descriptor = dup(bound.descriptor)
        _ = fcntl(descriptor, F_SETFL, 0)
        let socket = try ListeningSocket(adopting: descriptor, name: "http")
        #expect(socket.origin == .passed)
        #expect(socket.descriptor == descriptor)
        #expect(socket.localAddress == bound.localAddress)
        #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
        #expect(fcntl(descriptor, F_GETFL) & O_NONBLOCK != 0)
    }

    @Test("what does not listen is refused, by what it is, and stays the caller's")
    func notListening() throws {
        func refused(_ descriptor: CInt, _ what: String) {
            defer { close(descriptor) }
            let message = message { _ = try ListeningSocket(adopting: descriptor, name: "http") }
            #expect(
                message.hasPrefix(
                    "descriptor \(descriptor) (\"http\") is \(what); a stream socket that listens"
                )
            )
            #expect(isOpen(descriptor))
        }
        refused(socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0), "neither a listener nor a connection")
        refused(socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0), "a datagram socket")
        refused(open("/dev/null", O_RDONLY), "neither a listener nor a connection")
        refused(open("/", O_RDONLY), "a directory")
        #expect(code { _ = try ListeningSocket(adopting: -1, name: "http") } == .notListening)
    }

    // MARK: Owning

    @Test("letting go of it closes the descriptor, closing twice does nothing")
    func closing() throws {
        // Names of their own: a port that has become free may be another test's at once.
        func place() -> Endpoint { .unix("@closing-\(UUID().uuidString)") }
        var socket: ListeningSocket? = try .bind(place(), name: "http")
        let address = try #require(socket?.localAddress)
        socket?.close()
        #expect(socket?.descriptor == -1)
        socket?.close()
        socket = nil
        #expect(throws: TestClient.Refused.self) { try TestClient.connectBlocking(to: address) }

        let second = try ListeningSocket.bind(place(), name: "http").localAddress
        #expect(throws: TestClient.Refused.self) { try TestClient.connectBlocking(to: second) }
    }

    @Test("a descriptor that is taken is the taker's, and taken once")
    func taking() throws {
        let socket = try ListeningSocket.bind(.host("127.0.0.1", port: 0), name: "http")
        let descriptor = socket.takeDescriptor()
        #expect(socket.takeDescriptor() == -1)
        #expect(socket.descriptor == -1)
        socket.close()
        close(try TestClient.connectBlocking(to: socket.localAddress))
        close(descriptor)
    }
}
