import Dispatch
import SupervisionLock

/// The clock of the system that stands still while the machine sleeps, without the cooperative pool.
///
/// Whoever sleeps on a `SuspendingClock` is woken by a job of the pool, which does not come where that is blocked.
/// Here a queue of Dispatch does it.
struct DispatchClock: Clock {
    typealias Instant = SuspendingClock.Instant

    private static let longest = 1e9
    private static let queue = DispatchQueue(label: "daemon-clock", qos: .userInteractive)

    var now: Instant { SuspendingClock.now }

    var minimumResolution: Duration { SuspendingClock().minimumResolution }

    /// Sleeps until that moment.
    ///
    /// - Throws: `CancellationError` as soon as the task is cancelled.
    func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
        let sleeper = Sleeper()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                sleeper.sleep(continuation)
                let (seconds, attoseconds) = now.duration(to: deadline).components
                // What is further away than Dispatch can count does not come.
                let wait = min(max(0, Double(seconds) + Double(attoseconds) / 1e18), Self.longest)
                Self.queue.asyncAfter(deadline: .now() + wait) { sleeper.wake() }
            }
        } onCancel: {
            sleeper.wake(throwing: CancellationError())
        }
    }
}

/// One who sleeps, and is woken once.
private final class Sleeper: Sendable {
    private enum State {
        case awake
        case asleep(CheckedContinuation<Void, any Error>)
        case over(Result<Void, any Error>)
    }

    private let state = Locked(State.awake)

    func sleep(_ continuation: CheckedContinuation<Void, any Error>) {
        let result = state.withLock { state -> Result<Void, any Error>? in
            if case .over(let result) = state { return result }
            state = .asleep(continuation)
            return nil
        }
        if let result { continuation.resume(with: result) }
    }

    func wake(throwing error: (any Error)? = nil) {
        let result: Result<Void, any Error> = error.map { .failure($0) } ?? .success(())
        let continuation = state.withLock { state -> CheckedContinuation<Void, any Error>? in
            switch state {
            case .awake:
                state = .over(result)
                return nil
            case .asleep(let continuation):
                state = .over(result)
                return continuation
            case .over:
                return nil
            }
        }
        continuation?.resume(with: result)
    }
}
