import DaemonKit
import Testing

@testable import lehu

@Suite("lehu's sockets")
struct SocketsTests {
    private func sockets(pid: String?, count: String?, names: String? = nil) throws -> Sockets {
        var variables: [String: String] = [:]
        variables["LISTEN_PID"] = pid
        variables["LISTEN_FDS"] = count
        variables["LISTEN_FDNAMES"] = names
        return try Sockets(
            ServiceEnvironment(variables: variables, process: ProcessIdentity(pid: 42)),
            pid: 42
        )
    }

    @Test(
        "Q-01 without LISTEN_PID, or with that of another process, nothing counts as passed",
        arguments: [nil, "43", ""]
    )
    func others(pid: String?) throws {
        let sockets = try sockets(pid: pid, count: "3", names: "http:https:quic")
        #expect(!sockets.arePassed)
        #expect(sockets.fallback("PORT_HTTP", 8080) != nil)
    }

    @Test(
        "Q-02 another number than three is an error that names the expected one",
        arguments: ["1", "2", "4", "0", "x", nil]
    )
    func count(count: String?) throws {
        let error = #expect(throws: Sockets.WrongCount.self) { try sockets(pid: "42", count: count) }
        let text = try #require(error?.description)
        #expect(text.contains("but 3 are expected: \"http\", \"https\", \"quic\""))
        #expect(text.contains("LISTEN_FDS is \"\(count ?? "")\""))
    }

    @Test("Q-07 with the three sockets there is nothing to bind")
    func three() throws {
        let sockets = try sockets(pid: "42", count: "3", names: "quic:http:https")
        #expect(sockets.arePassed)
        #expect(sockets.fallback("PORT_HTTP", 8080) == nil)
    }
}
