import DaemonKit
import NIOConcurrencyHelpers

/// Counts what happens in the tree.
final class Tally: Sendable {
    struct Counts: Encodable {
        /// How often a child was started again.
        var restarts = 0
        /// How often a supervisor, or a child, was given up.
        var givenUp = 0
        /// How many reloads were done, and how many of them failed.
        var reloads = 0
        var failedReloads = 0
        /// Children whose body runs.
        var bodies = 0
        /// Requests that are being answered.
        var requests = 0
        /// How many processes of the service there have been, and how often the present one wrote that down.
        var lives = 0
        var entries = 0
    }

    private let counts = NIOLockedValueBox(Counts())

    var now: Counts { counts.withLockedValue { $0 } }

    func update(_ change: (inout Counts) -> Void) {
        counts.withLockedValue { change(&$0) }
    }

    /// Counts events for as long as the tree runs.
    func count(_ events: AsyncStream<SupervisorEvent>) {
        Task {
            for await event in events { count(event) }
        }
    }

    private func count(_ event: SupervisorEvent) {
        counts.withLockedValue { counts in
            switch event.kind {
            case .childRestarting: counts.restarts += 1
            case .childGivenUp, .stopping(.gaveUp): counts.givenUp += 1
            default: break
            }
        }
    }

    /// Counts a body for as long as it runs.
    func body<Result>(
        isolation: isolated (any Actor)? = #isolation,
        _ run: () async throws -> Result
    ) async rethrows -> Result {
        counts.withLockedValue { $0.bodies += 1 }
        defer { counts.withLockedValue { $0.bodies -= 1 } }
        return try await run()
    }

    /// Counts a request for as long as it is being answered.
    func request<Result>(
        isolation: isolated (any Actor)? = #isolation,
        _ run: () async throws -> Result
    ) async rethrows -> Result {
        counts.withLockedValue { $0.requests += 1 }
        defer { counts.withLockedValue { $0.requests -= 1 } }
        return try await run()
    }
}
