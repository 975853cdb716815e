import Foundation
import SupervisionLock
import Testing

@testable import Supervision

@Suite("Time in a tree", .timeLimit(.minutes(1)))
struct TimekeeperTests {
    /// Passes by itself, and keeps what it was to sleep until.
    private final class HurriedClock: Clock {
        typealias Instant = SuspendingClock.Instant

        private let state = Locked((now: SuspendingClock().now, longest: Duration.zero))

        var now: Instant { state.withLock(\.now) }
        var longest: Duration { state.withLock(\.longest) }
        var minimumResolution: Duration { .zero }

        func sleep(until deadline: Instant, tolerance: Duration?) async throws {
            state.withLock { state in
                state.longest = max(state.longest, state.now.duration(to: deadline))
                state.now = deadline
            }
        }
    }

    @Test("a long time is slept in pieces that every clock can tell from none")
    func pieces() async throws {
        let clock = HurriedClock()
        let timekeeper = Timekeeper(clock)
        try await timekeeper.sleep(until: .seconds(3_650 * 86_400))
        #expect(timekeeper.now == .seconds(3_650 * 86_400))
        #expect(clock.longest <= .seconds(366 * 86_400))
    }

    @Test(
        "times that are longer than there will be are waited for like any other, until the stop",
        arguments: [Duration.seconds(Int64.max), .milliseconds(Int64.max), .microseconds(Int64.max)]
    )
    func endless(time: Duration) async throws {
        let failed = Locked(false)
        let supervisor = Supervisor {
            ChildSpec("slow", shutdown: .timeout(time)) { child in
                await Task.yield()
                child.started()
                await child.shutdownRequested()
            }
            .startTimeout(time)
            ChildSpec("failing", shutdown: .graceful(time)) { child in
                child.started()
                let isFirst = failed.withLock { failed in
                    defer { failed = true }
                    return !failed
                }
                if isFirst { throw CocoaError(.featureUnsupported) }
            }
            .backoff(.constant(time))
        }
        let events = supervisor.events()
        let run = Task { try await supervisor.run() }
        for await event in events {
            if case .childRestarting = event.kind { supervisor.stop() }
        }
        try await run.value
    }
}
