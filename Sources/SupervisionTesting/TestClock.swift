import SupervisionLock

/// A clock that moves only when told, and knows who sleeps on it.
///
/// Hand it to a `Supervisor` as its `clock`; every time in the tree is then measured on it. A test
/// waits until the code under test has gone to sleep, then moves time:
///
/// ```swift
/// await clock.sleepers(atLeast: 1)
/// clock.advance(by: .seconds(5))
/// ```
public final class TestClock: Clock, Sendable {
    /// A moment on a test clock: the time since the clock was made.
    public struct Instant: InstantProtocol {
        /// The time since the clock was made.
        public var offset: Duration

        /// Makes a moment that long after the clock was made.
        public init(offset: Duration) {
            self.offset = offset
        }

        /// The moment that much later.
        public func advanced(by duration: Duration) -> Instant {
            Instant(offset: offset + duration)
        }

        /// How long it is from this moment to the other; negative when the other is earlier.
        public func duration(to other: Instant) -> Duration {
            other.offset - offset
        }

        /// Orders moments by time.
        public static func < (left: Instant, right: Instant) -> Bool {
            left.offset < right.offset
        }
    }

    private struct Sleeper {
        let deadline: Instant
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now = Instant(offset: .zero)
        var sleepers: [Int: Sleeper] = [:]
        var watchers: [(atLeast: Int, continuation: CheckedContinuation<Void, Never>)] = []
        var next = 0
    }

    private let state = Locked(State())

    /// Makes a clock that stands at zero.
    public init() {}

    /// The moment the clock has been moved to.
    public var now: Instant {
        state.withLock(\.now)
    }

    /// The smallest step: none is too small.
    public var minimumResolution: Duration { .zero }

    /// Sleeps until the clock has been moved to the deadline.
    ///
    /// - Throws: `CancellationError` as soon as the task is cancelled.
    public func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
        try Task.checkCancellation()
        let key = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enum Next {
                    case sleep([CheckedContinuation<Void, Never>])
                    case wake
                    case cancelled
                }
                let next: Next = state.withLock { state in
                    if Task.isCancelled { return .cancelled }
                    if deadline <= state.now { return .wake }
                    state.sleepers[key] = Sleeper(deadline: deadline, continuation: continuation)
                    let count = state.sleepers.count
                    let satisfied = state.watchers.filter { $0.atLeast <= count }
                    state.watchers.removeAll { $0.atLeast <= count }
                    return .sleep(satisfied.map(\.continuation))
                }
                switch next {
                case .sleep(let watchers): for watcher in watchers { watcher.resume() }
                case .wake: continuation.resume()
                case .cancelled: continuation.resume(throwing: CancellationError())
                }
            }
        } onCancel: {
            let sleeper = state.withLock { $0.sleepers.removeValue(forKey: key) }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Moves the clock, and wakes those whose deadline has come, the earliest first.
    public func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now = state.now.advanced(by: duration)
            let due = state.sleepers.filter { $0.value.deadline <= state.now }
            for key in due.keys { state.sleepers[key] = nil }
            return due.sorted { ($0.value.deadline, $0.key) < ($1.value.deadline, $1.key) }
        }
        for (_, sleeper) in due { sleeper.continuation.resume() }
    }

    /// Waits until at least this many tasks sleep on the clock.
    public func sleepers(atLeast count: Int) async {
        await withCheckedContinuation { continuation in
            let isSatisfied = state.withLock { state in
                guard state.sleepers.count < count else { return true }
                state.watchers.append((count, continuation))
                return false
            }
            if isSatisfied { continuation.resume() }
        }
    }

    /// How many tasks sleep on the clock now.
    public var sleeperCount: Int {
        state.withLock(\.sleepers.count)
    }
}
