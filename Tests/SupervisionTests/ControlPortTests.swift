import Testing

@testable import Supervision

@Suite("Control port")
struct ControlPortTests {
    @Test("what is asked of a run that has closed its inbox is refused, and a ping is answered")
    func closed() async throws {
        let port = ControlPort()
        _ = try port.open(at: []).close()
        #expect(await code { try await port.ask(.count) } == .notRunning)
        #expect(await port.ping() == false)
    }

    @Test("there is one run at a time, and each has its number")
    func runs() throws {
        let port = ControlPort()
        #expect(try port.open(at: []).number == 1)
        let error = #expect(throws: SupervisorError.self) { try port.open(at: ["a"]) }
        #expect(error?.code == .alreadyRunning)
        #expect(error?.path == ["a"])
        port.close()
        #expect(try port.open(at: []).number == 2)
        #expect(port.run == 2)
    }

    @Test("a stop that comes before the run is in its inbox, and only in that of the next run")
    func earlyStop() throws {
        let port = ControlPort()
        port.stop()
        #expect(taken(from: try port.open(at: [])).count == 1)
        port.close()
        #expect(taken(from: try port.open(at: [])).isEmpty)
    }
}
