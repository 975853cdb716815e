import DaemonKit
import Foundation
import HTTPTesting
import SupervisionTesting
import Testing

@testable import hello

/// How often the order is looked at: as often as the environment says.
private let rounds = ProcessInfo.processInfo.environment["ORDER_ROUNDS"].flatMap(Int.init) ?? 1

@Suite("hello's tree", .timeLimit(.minutes(5)))
struct TreeTests {
    @Test("it stops from the last child to the first: draining, then drained, and http is the last to go")
    func stopOrder() async throws {
        for _ in 0..<rounds {
            let trial = try DaemonTrial(Hello(), variables: ["PORT": "0"])
            try await trial.started()
            #expect(await trial.stop() == .clean)
            try trial.story.expect(
                stopOrder: "status(draining)",
                "drainer",
                "status(drained)",
                "ready",
                "http"
            )
            try trial.story.expect(statuses: ["draining", "drained"])
            try await trial.expectNothingLeft()
        }
    }

    @Test("with a certificate both listeners answer before it is ready, and go after the drain")
    func secure() async throws {
        let certificate = TestCertificate.one
        let trial = try DaemonTrial(
            Hello(),
            variables: [
                "PORT": "0", "PORT_HTTPS": "0", "HELLO_CERTIFICATE": certificate.certificate,
                "HELLO_KEY": certificate.key,
            ]
        )
        try await trial.started()
        #expect(await trial.stop() == .clean)
        for listener in ["http", "https"] as [ChildPath] {
            try trial.story.expect(.ready, after: .start(of: listener))
            try trial.story.expect(.stop(of: listener), after: .stop(of: "drainer"))
        }
    }

    @Test("a listener that fails is started again, and the manager hears nothing of it")
    func listenerFails() async throws {
        let trial = try DaemonTrial(Hello(), variables: ["PORT": "0"])
        try await trial.started()
        try trial.faults.fail("http")
        try await trial.story.wait(for: .start(of: "http"), count: 2)
        try trial.story.expect(.ready, times: 1)
        #expect(await trial.stop() == .clean)
    }
}
