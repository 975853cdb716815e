import SupervisionLock

/// A clock that moves only when told, and knows who sleeps on it.
///
/// Every time in the tree of a ``DaemonTrial`` or a ``SupervisorTrial`` is measured on one; hand it to a `Supervisor` as
/// its `clock` elsewhere. A test waits until the code under test has gone to sleep, then moves time:
///
/// ```swift
/// await trial.clock.sleeper(dueIn: .seconds(5))
/// trial.clock.advance(by: .seconds(5))
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
        var watchers: [Int: Watcher] = [:]
        var next = 0
        /// Whether time passes by itself.
        var isFree = false

        /// Whether nothing is left to wait for.
        func isOver(_ deadline: Instant) -> Bool {
            deadline <= now || isFree && deadline.offset - now.offset <= TestClock.soon
        }

        mutating func takeNext() -> Int {
            next += 1
            return next
        }
    }

    /// Somebody who waits for others to sleep.
    private struct Watcher {
        let isSatisfied: @Sendable (State) -> Bool
        let continuation: CheckedContinuation<Void, Never>
    }

    /// What a clock that is let go waits for: longer than this is for ever.
    private static let soon = Duration.seconds(86_400)

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
        let (key, isFree) = state.withLock { ($0.takeNext(), $0.isFree) }
        // Who sleeps in a loop is not to keep the thread.
        if isFree { await Task.yield() }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enum Next {
                    case sleep([CheckedContinuation<Void, Never>])
                    case wake
                    case cancelled
                }
                let next: Next = state.withLock { state in
                    if Task.isCancelled { return .cancelled }
                    if state.isOver(deadline) {
                        state.now = max(state.now, deadline)
                        return .wake
                    }
                    state.sleepers[key] = Sleeper(deadline: deadline, continuation: continuation)
                    let satisfied = state.watchers.filter { $0.value.isSatisfied(state) }
                    for watcher in satisfied.keys { state.watchers[watcher] = nil }
                    return .sleep(satisfied.values.map(\.continuation))
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
        wake { $0.now = $0.now.advanced(by: duration) }
    }

    /// Lets time pass by itself from now on, as fast as whoever sleeps would have it: a test has run out of its own.
    func letGo() {
        wake { $0.isFree = true }
    }

    private func wake(after change: (inout State) -> Void) {
        let due = state.withLock { state in
            change(&state)
            let due = state.sleepers.filter { state.isOver($0.value.deadline) }
            for key in due.keys { state.sleepers[key] = nil }
            let order = due.sorted { ($0.value.deadline, $0.key) < ($1.value.deadline, $1.key) }
            if let last = order.last { state.now = max(state.now, last.value.deadline) }
            return order
        }
        for (_, sleeper) in due { sleeper.continuation.resume() }
    }

    /// Waits until a task sleeps whose time comes exactly so long from now.
    ///
    /// The rendezvous with a child's own sleep: no other sleeper is taken for the one that is meant. What a supervisor
    /// measures itself, such as the time of a stop, has begun when its event is in the ``Story``; how it sleeps meanwhile
    /// is its own affair. Returns early when the task is cancelled, as a time limit does it.
    ///
    /// - Parameter duration: From now to the end of the sleep.
    public func sleeper(dueIn duration: Duration) async {
        await wait { state in
            let deadline = state.now.advanced(by: duration)
            return state.sleepers.values.contains { $0.deadline == deadline }
        }
    }

    /// Waits until at least this many tasks sleep on the clock.
    ///
    /// Whosever they are: what watches a daemon's start, or a stop, sleeps on it too. For a child's own sleep there is
    /// ``sleeper(dueIn:)``. Returns early when the task is cancelled, as a time limit does it.
    public func sleepers(atLeast count: Int) async {
        await wait { $0.sleepers.count >= count }
    }

    private func wait(until isSatisfied: @escaping @Sendable (State) -> Bool) async {
        let key = state.withLock { $0.takeNext() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if Task.isCancelled || isSatisfied(state) { return true }
                    state.watchers[key] = Watcher(isSatisfied: isSatisfied, continuation: continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.watchers.removeValue(forKey: key) }?.continuation.resume()
        }
    }

    /// How many tasks sleep on the clock now.
    public var sleeperCount: Int {
        state.withLock(\.sleepers.count)
    }
}
