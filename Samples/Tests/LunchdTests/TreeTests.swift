import DaemonKit
import HTTPTesting
import SupervisionTesting
import Testing

@testable import lunchd

@Suite("lunchd's tree", .timeLimit(.minutes(1)))
struct TreeTests {
    @Test("it drains both listeners before it stops either")
    func stopOrder() async throws {
        let certificate = TestCertificate.one
        let options = try Options(["-certificate", certificate.certificate, "-key", certificate.key])
        let trial = try DaemonTrial(Lunchd(options), sockets: [PassedSocket("https"), PassedSocket("http")])
        try await trial.started()
        #expect(await trial.stop() == .clean)
        try trial.story.expect(.stop(of: "drainer"), before: .stop(of: "https"))
        try trial.story.expect(.stop(of: "https"), before: .stop(of: "http"))
        try trial.story.expect(statuses: ["draining", "drained"])
    }
}
