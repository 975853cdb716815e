import HTTPListener
import Hummingbird
import NIOCore

@testable import DaemonKit

/// A listener's serving, as the kit does it: real sockets, no tree.
struct ServerUnderTest: Sendable {
    let port: Int
    let session: ServingSession
    private let serving: Task<Void, any Error>

    /// Asks to drain.
    ///
    /// What is told to connections afterwards comes after it on their loops.
    func beginDrain() { session.beginDrain() }

    /// What the Drainer does at its limit.
    func cut() { serving.cancel() }

    func waitUntilEnded() async { _ = await serving.result }

    /// Serves while `body` runs; cut when that has ended.
    static func run(
        _ router: Router<BasicRequestContext>,
        _ change: (inout HTTPConfiguration) -> Void = { _ in },
        _ body: (ServerUnderTest) async throws -> Void
    ) async throws {
        var configuration = HTTPConfiguration()
        // No test waits for one of these, nor is saved by it: those that are tested are set.
        configuration.drainGrace = .hours(1)
        configuration.lingerTimeout = .hours(1)
        configuration.headTimeout = .hours(1)
        configuration.idleTimeout = .hours(1)
        change(&configuration)
        let http = HTTP(router, configuration: configuration)
        let socket = try ListeningSocket.bind(.host("127.0.0.1", port: 0), name: "http")
        let description = "\(socket.localAddress)"
        let port = Int(description.split(separator: ":").last ?? "") ?? 0
        let session = ServingSession(name: "http", expectedSockets: 1)
        let serving = Task { try await http.serve(socket, in: session) }
        let server = ServerUnderTest(port: port, session: session, serving: serving)
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
