import DaemonKit
import SupervisionTesting
import Testing

import struct HTTPTesting.TestCertificate

@testable import lehu

@Suite("lehu's tree", .timeLimit(.minutes(1)))
struct TreeTests {
    @Test("it drains all three listeners, that for datagrams too, before it stops any")
    func stopOrder() async throws {
        let paths = [
            "LEHU_CERTIFICATE": TestCertificate.one.certificate, "LEHU_KEY": TestCertificate.one.key,
        ]
        let sockets = [
            try PassedSocket("quic", kind: .datagram), try PassedSocket("https"), try PassedSocket("http"),
        ]
        let trial = try DaemonTrial(Lehu(), variables: paths, sockets: sockets)
        try await trial.started()
        #expect(await trial.stop() == .clean)
        try trial.story.expect(.stop(of: "drainer"), before: .stop(of: "quic"))
        try trial.story.expect(.stop(of: "https"), before: .stop(of: "http"))
        try trial.story.expect(statuses: ["draining", "drained"])
    }
}
