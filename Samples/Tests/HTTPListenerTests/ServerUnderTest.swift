import HTTPTesting
import Hummingbird
import NIOCore
import NIOPosix

@testable import DaemonKit
@testable import HTTPListener

/// A listener's serving, as the kit does it: real sockets, no tree.
struct ServerUnderTest: Sendable {
    let port: Int
    let session: ServingSession
    let identity: TLSIdentity?
    private let serving: Task<Void, any Error>

    /// Asks to drain.
    ///
    /// What is told to connections afterwards comes after it on their loops.
    func beginDrain() { session.beginDrain() }

    /// Asks to drain, and returns when every connection knows.
    func drain() async throws {
        session.beginDrain()
        // Connections are told on their loops.
        try await passTurns()
    }

    private func passTurns() async throws {
        for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() {
            try await loop.submit {}.get()
        }
    }

    /// What the Drainer does at its limit.
    func cut() { serving.cancel() }

    /// Waits until no connection is left, without a drain.
    func waitUntilEmpty() async {
        let closed = AsyncStream<Void>.makeStream()
        let registration = session.onClose { closed.continuation.yield() }
        defer { registration.cancel() }
        guard session.connectionCount > 0 else { return }
        for await _ in closed.stream where session.connectionCount == 0 { return }
    }

    func waitUntilEnded() async { _ = await serving.result }

    /// Connects a client of HTTP/1, as the server wants it.
    func connect(_ body: (Client) async throws -> Void) async throws {
        try await Client.connect(to: port, offering: identity == nil ? nil : ["http/1.1"], body)
    }

    /// Waits until connections that ask for nothing more, one on each event loop, have been closed.
    ///
    /// Whatever closes them has had its time with those that were there before, too.
    ///
    /// - Parameters:
    ///   - version: Of HTTP.
    ///   - close: Has them closed.
    /// - Throws: What kept one from asking, and what `close` throws.
    func outlastIdle(version: String = "http/1.1", close: () async throws -> Void = {}) async throws {
        try await withThrowingTaskGroup(of: Void.self) { clients in
            // The loops take turns.
            for _ in MultiThreadedEventLoopGroup.singleton.makeIterator() {
                let idle = AsyncStream<Void>.makeStream()
                clients.addTask { [port, isSecure = identity != nil] in
                    defer { idle.continuation.finish() }
                    try await Client.connect(to: port, offering: isSecure ? [version] : nil) { client in
                        if version == "h2" {
                            let frames = try await FrameClient(client)
                            try await frames.send(.request(1))
                            _ = try await frames.response()
                        } else {
                            try await client.get()
                            _ = try await client.response()
                        }
                        idle.continuation.finish()
                        await client.waitForEnd()
                    }
                }
                for await _ in idle.stream {}
            }
            try await close()
            try await clients.waitForAll()
        }
        try await passTurns()
    }

    /// Serves while `body` runs; cut when that has ended.
    static func run(
        _ router: Router<BasicRequestContext>,
        secure: Bool = false,
        _ change: (inout HTTPConfiguration) -> Void = { _ in },
        _ body: (ServerUnderTest) async throws -> Void
    ) async throws {
        var configuration = HTTPConfiguration()
        // No test waits for one of these, nor is saved by it: those that are tested are set.
        configuration.handshakeTimeout = .hours(1)
        configuration.drainGrace = .hours(1)
        configuration.lingerTimeout = .hours(1)
        configuration.headTimeout = .hours(1)
        configuration.idleTimeout = .hours(1)
        configuration.writeTimeout = .hours(1)
        change(&configuration)

        let certificate = TestCertificate.one
        let identity = TLSIdentity(.files(certificate: certificate.certificate, key: certificate.key))
        let http: any ConnectionHandler
        if secure {
            try identity.load(from: Credentials(directory: nil))
            http = HTTPS(router, identity: identity, configuration: configuration)
        } else {
            http = HTTP(router, configuration: configuration)
        }
        try await run(http, identity: secure ? identity : nil, body)
    }

    /// The same with a server that the test has made.
    static func run(
        _ http: any ConnectionHandler,
        identity: TLSIdentity? = nil,
        _ body: (ServerUnderTest) async throws -> Void
    ) async throws {
        let socket = try ListeningSocket.bind(.host("127.0.0.1", port: 0), name: "http")
        let port = Int("\(socket.localAddress)".split(separator: ":").last ?? "") ?? 0
        let session = ServingSession(name: "http", expectedSockets: 1)
        let serving = Task { try await http.serve(socket, in: session) }
        let server = ServerUnderTest(
            port: port,
            session: session,
            identity: identity,
            serving: serving
        )
        do {
            try await body(server)
        } catch {
            server.cut()
            await server.waitUntilEnded()
            throw error
        }
        server.cut()
        await server.waitUntilEnded()
    }
}
