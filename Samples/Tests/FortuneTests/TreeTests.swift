import DaemonKit
import SupervisionTesting
import Testing

@testable import fortune

@Suite("The tree of fortune serve", .timeLimit(.minutes(1)))
struct TreeTests {
    @Test("it is ready when both protocols answer, and both are drained before either stops")
    func stopOrder() async throws {
        let sockets = [try PassedSocket("fortune"), try PassedSocket("fortune", kind: .datagram)]
        let trial = try DaemonTrial(Server(), sockets: sockets)
        try await trial.started()
        #expect(await trial.stop() == .clean)
        try trial.story.expect(.ready, after: .start(of: "qotd-udp"))
        try trial.story.expect(.stop(of: "drainer"), before: .stop(of: "qotd-udp"))
        try trial.story.expect(statuses: ["draining", "drained"])
    }
}
