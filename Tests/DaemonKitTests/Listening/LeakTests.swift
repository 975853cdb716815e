import DaemonKit
import Foundation
import Glibc
import Testing

@testable import DaemonKit

@Suite("What is left when a listener has ended")
struct LeakTests {
    @Test("no descriptor, no thread, no connection: after drains, cancellations and failures")
    func nothing() async {
        await #expect(processExitsWith: .success) {
            func descriptors() throws -> Int {
                try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
            }
            func acceptThreads() throws -> Int {
                try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").filter { thread in
                    // One that has ended in between is none.
                    let name = try? String(contentsOfFile: "/proc/self/task/\(thread)/comm", encoding: .utf8)
                    return name?.hasPrefix("accept") == true
                }.count
            }
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
                #expect(try acceptThreads() == 1)
                if cancels { server.cancel() } else { server.session.beginDrain() }
                try await server.ended()
                #expect(server.session.connectionCount == 0)
                for client in clients { await client.finish() }
            }
            // A thread that has been joined, and a task that has ended, are gone a moment later: nothing tells when.
            func settle(_ isGone: () throws -> Bool) async throws {
                for _ in 0..<100_000 {
                    if try acceptThreads() == 0, last == nil, try isGone() { return }
                    await Task.yield()
                }
            }
            // The first makes what the process keeps: dispatch's own descriptors and threads. What is its own must
            // have gone before they are counted.
            try await round(cancels: false)
            try await settle { true }
            let before = try descriptors()
            // The last is cancelled: a drain lets go of what waits for it by itself.
            for index in 0..<20 { try await round(cancels: index % 2 == 1) }
            try await settle { try descriptors() == before }
            #expect(try descriptors() == before)
            #expect(try acceptThreads() == 0)
            #expect(last == nil)
        }
    }
}
