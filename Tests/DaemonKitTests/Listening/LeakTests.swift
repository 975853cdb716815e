import DaemonKit
import Foundation
import Glibc
import SupervisionTesting
import Testing

@testable import DaemonKit

@Suite("What is left when a listener has ended")
struct LeakTests {
    @Test("no descriptor, no thread, no connection: after drains, cancellations and failures")
    func nothing() async {
        await #expect(processExitsWith: .success) {
            weak var last: ServingSession?
            func round(cancels: Bool) async throws {
                let server = await TestServer(
                    try .bind(.host("127.0.0.1", port: 0), name: "http"),
                    handler: Handler { connection in
                        if try await connection.roundTrip("hello") == "taken" {
                            close(try connection.takeDescriptor())
                        }
                        try await Handler.echo.handle(connection)
                    }
                )
                last = server.session
                var clients: [Connection] = []
                for index in 0..<20 {
                    let client = try server.connect()
                    clients.append(client)
                    #expect(try await client.read(upTo: 5) == Array("hello".utf8))
                    try await client.write(index % 3 == 0 ? "taken" : "other")
                    if index % 4 == 0 { client.close() }
                }
                try await settle { try Threads.count("accept") == 1 }
                #expect(try Threads.count("accept") == 1)
                if cancels { server.cancel() } else { server.session.beginDrain() }
                try await server.ended()
                #expect(server.session.connectionCount == 0)
                for client in clients { await client.finish() }
            }
            try await Leftovers.expectNone {
                // The last is cancelled: a drain lets go of what waits for it by itself.
                for index in 0..<10 { try await round(cancels: index % 2 == 1) }
                try await settle { try Threads.count("accept") == 0 && last == nil }
            }
            #expect(try Threads.count("accept") == 0)
            #expect(last == nil)
        }
    }
}
