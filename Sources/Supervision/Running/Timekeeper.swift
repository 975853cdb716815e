/// A clock, read as the time since the tree was started.
///
/// One for a whole tree: a nested supervisor measures on its parent's.
struct Timekeeper: Sendable {
    let clock: any Clock<Duration>
    private let elapsed: @Sendable () -> Duration
    private let sleepUntil: @Sendable (Duration) async throws -> Void

    init<C: Clock<Duration>>(_ clock: C) {
        let origin = clock.now
        self.clock = clock
        self.elapsed = { origin.duration(to: clock.now) }
        self.sleepUntil = { try await clock.sleep(until: origin.advanced(by: $0), tolerance: nil) }
    }

    /// The time since the tree was started.
    var now: Duration { elapsed() }

    /// Sleeps until that much time has passed since the tree was started.
    func sleep(until deadline: Duration) async throws {
        try await sleepUntil(deadline)
    }
}
