import DaemonKit
import Glibc
import SupervisionLock
import SupervisionTesting
import Testing

@testable import DaemonKit

@Suite("The accept loop, when accepting fails")
struct AcceptFaultTests {
    private func loopback() throws -> ListeningSocket {
        try .bind(.host("127.0.0.1", port: 0), name: "http")
    }

    /// Fails with each of these in turn, then accepts; after `first` connections were accepted.
    private func failing(_ errors: [CInt], after first: Int = 0) -> AcceptThread.Accept {
        let state = Locked((errors: errors, accepted: 0))
        return { listener in
            let error: CInt? = state.withLock { state in
                state.accepted < first || state.errors.isEmpty ? nil : state.errors.removeFirst()
            }
            if let error { return .failed(error) }
            let outcome = AcceptThread.system(listener)
            if case .accepted = outcome { state.withLock { $0.accepted += 1 } }
            return outcome
        }
    }

    @Test(
        "it goes on after errors that are of one connection or of want",
        arguments: [
            [EINTR, ECONNABORTED, EPROTO, EPERM, ENETDOWN], [EMFILE, ENFILE], [ENOBUFS], [ENOMEM], [9999],
            [CInt](repeating: ECONNABORTED, count: 17),
        ]
    )
    func goesOn(errors: [CInt]) async throws {
        let server = await TestServer(
            try loopback(),
            policy: AcceptPolicy(firstPause: .milliseconds(1)),
            accept: failing(errors),
            handler: .echo
        )
        let client = try server.connect()
        #expect(try await client.roundTrip("hello") == "hello")
        client.close()
        try await server.drain()
    }

    @Test("want of descriptors is reported once, with what is needed to say so")
    func reported() async throws {
        let server = await TestServer(
            try loopback(),
            policy: AcceptPolicy(firstPause: .milliseconds(1)),
            accept: failing([EMFILE, EMFILE, EMFILE]),
            handler: .echo
        )
        let client = try server.connect()
        #expect(try await client.roundTrip("hello") == "hello")
        client.close()
        try await server.drain()
        #expect(
            server.incidents.all.map { "\($0)" } == [
                "cannot accept on \(server.address), trying again in 0.001 seconds: Too many open files (errno 24)"
            ]
        )
    }

    @Test("a connection that closes ends the pause")
    func wokenByClose() async throws {
        let server = await TestServer(
            try loopback(),
            policy: AcceptPolicy(firstPause: .seconds(3600), longestPause: .seconds(3600)),
            accept: failing([EMFILE], after: 1),
            handler: .echo
        )
        let first = try server.connect()
        #expect(try await first.roundTrip("hello") == "hello")
        await server.incidents.wait(forCount: 1)
        let second = try server.connect()
        first.close()
        #expect(try await second.roundTrip("hello") == "hello")
        second.close()
        try await server.drain()
    }

    @Test("a drain and a cancellation end the pause", arguments: [true, false])
    func wokenByEnd(drains: Bool) async throws {
        let server = await TestServer(
            try loopback(),
            policy: AcceptPolicy(firstPause: .seconds(3600), longestPause: .seconds(3600)),
            accept: { _ in .failed(EMFILE) },
            handler: .echo
        )
        await server.incidents.wait(forCount: 1)
        if drains { server.session.beginDrain() } else { server.cancel() }
        try await server.ended()
    }

    @Test("a socket that somebody shut down ends the serving with an error that says which")
    func shutDown() async throws {
        let socket = try loopback()
        let other = dup(socket.descriptor)
        defer { close(other) }
        let server = await TestServer(socket, handler: .echo)
        let client = try server.connect()
        #expect(try await client.roundTrip("hello") == "hello")
        shutdown(other, CInt(SHUT_RDWR))
        let error = await #expect(throws: SocketError.self) { try await server.ended() }
        #expect(error?.code == .acceptFailed)
        #expect(error?.errorNumber == EINVAL)
        #expect(error?.message.hasPrefix("cannot accept on \"http\" (127.0.0.1:") == true)
        #expect(try await client.readAll() == [])
    }

    @Test("a process that is out of descriptors serves who waits when it has some again")
    func realLimit() async {
        await #expect(processExitsWith: .success) {
            let server = await TestServer(
                try .bind(.host("127.0.0.1", port: 0), name: "http"),
                handler: .echo
            )
            let warm = try server.connect()
            #expect(try await warm.roundTrip("hello") == "hello")
            let client = try server.connect()
            let second = try server.connect()
            #expect(try await client.roundTrip("hello") == "hello")
            #expect(try await second.roundTrip("hello") == "hello")
            // The next client takes the last descriptor that there is.
            let last = dup(0)
            close(last)
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(7), &limit)
            let before = limit.rlim_cur
            limit.rlim_cur = rlim_t(last + 1)
            setrlimit(__rlimit_resource_t(7), &limit)
            let late = try server.connect()
            await server.incidents.wait(forCount: 1)
            limit.rlim_cur = before
            setrlimit(__rlimit_resource_t(7), &limit)
            #expect(try await late.roundTrip("hello") == "hello")
            guard case .acceptPaused(_, errorNumber: EMFILE, _) = server.incidents.all[0] else {
                Issue.record("\(server.incidents.all)")
                return
            }
            for connection in [warm, client, second, late] { connection.close() }
            try await server.drain()
        }
    }
}
