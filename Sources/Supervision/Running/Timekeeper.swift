/// A clock, read as the time since some moment.
///
/// One for a whole tree, from the moment it was started: a nested supervisor measures on its parent's.
package final class Timekeeper: Sendable {
    let clock: any Clock<Duration>
    private let elapsed: @Sendable () -> Duration
    private let sleepUntil: @Sendable (Duration) async throws -> Void

    /// Reads a clock, from now on.
    package init<C: Clock<Duration>>(_ clock: C) {
        let origin = clock.now
        self.clock = clock
        // It is read for each step of each child: that of nearly all trees without a detour.
        if clock is SuspendingClock, let origin = origin as? SuspendingClock.Instant {
            self.elapsed = { origin.duration(to: .now) }
        } else {
            self.elapsed = { origin.duration(to: clock.now) }
        }
        self.sleepUntil = { deadline in
            // In pieces: later moments than there can be are no reason to trap, or to wake at once.
            while true {
                let next = min(deadline, origin.duration(to: clock.now) + Self.longest)
                try await clock.sleep(until: origin.advanced(by: next), tolerance: nil)
                if next == deadline { return }
            }
        }
    }

    /// How long is slept in one go.
    private static let longest = Duration.seconds(365 * 86_400)

    /// The time that has passed.
    package var now: Duration { elapsed() }

    /// Sleeps until that much time has passed.
    package func sleep(until deadline: Duration) async throws {
        try await sleepUntil(deadline)
    }
}
