import SupervisionLock

/// What a child's body knows about its place in the tree, and how it reports that it has started.
///
/// Each start of a child has a context of its own.
public final class ChildContext: Sendable {
    /// Where the child stands.
    public var path: ChildPath { place.path.appending(id) }

    /// The supervisor's clock.
    ///
    /// Whatever a child measures, it measures on this, so that a test can move time.
    public var clock: any Clock<Duration> { place.timekeeper.clock }

    /// What the children of the tree share.
    package var tree: TreeValues { place.tree }

    /// Under whom it runs.
    let place: SupervisorPlace

    /// Which start of the child this is.
    let ref: ChildRef

    /// Where the child stands among all of the tree: its number among its siblings, after those of the
    /// supervisors above it.
    package var position: [Int] { place.position + [ref.slot] }

    private let id: String
    private let state = Locked(State())

    /// Whether the child has started.
    private enum Start {
        case awaited, made, overdue
    }

    private struct State {
        var start = Start.awaited
        var startTimer: Task<Void, Never>?
        var isShutdownRequested = false
        var isAsked = false
        var waiters = Waiters()
        var hasEnded = false
        var onEnd: [@Sendable () -> Void] = []
    }

    init(_ ref: ChildRef, id: String, in place: SupervisorPlace) {
        self.id = id
        self.ref = ref
        self.place = place
    }

    /// Reports that the child has started, so that the child below it is started next.
    ///
    /// Only the first call counts; one after the body has ended does nothing. The body of a spec that takes no
    /// context has no need of this.
    public func started() {
        let (isInTime, timer) = state.withLock { state in
            guard state.start == .awaited else { return (false, nil as Task<Void, Never>?) }
            state.start = .made
            defer { state.startTimer = nil }
            return (true, state.startTimer)
        }
        guard isInTime else { return }
        timer?.cancel()
        // The machine knows which news is no news.
        place.inbox.send(.started(ref))
    }

    /// Whether the child has been told to stop.
    public var isShutdownRequested: Bool {
        state.withLock(\.isShutdownRequested)
    }

    /// Suspends until the child is told to stop.
    ///
    /// Of use to a child with ``Shutdown/graceful(_:)``, which is asked before it is cancelled: what follows
    /// this call is its orderly end, and has the shutdown's time. Any other child is cancelled in the same
    /// moment. Returns also, at once, when the calling task is cancelled.
    public nonisolated(nonsending) func shutdownRequested() async {
        let waiter = state.withLock { $0.waiters.nextNumber() }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let isOver = state.withLock { state in
                    guard !state.isShutdownRequested, !Task.isCancelled else { return true }
                    state.waiters.add(continuation, waiter)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.remove(waiter) }?.resume()
        }
    }

    /// Has something done when the body of the child has ended; at once, when it has.
    package func onEnd(_ action: @escaping @Sendable () -> Void) {
        let hasEnded = state.withLock { state in
            if !state.hasEnded { state.onEnd.append(action) }
            return state.hasEnded
        }
        if hasEnded { action() }
    }

    /// Takes a timer that is needed until the child has started, or ended, or is told to stop.
    func limitStart(_ timer: Task<Void, Never>) {
        let isNeeded = state.withLock { state in
            guard state.start == .awaited, !state.hasEnded, !state.isShutdownRequested else { return false }
            state.startTimer = timer
            return true
        }
        if !isNeeded { timer.cancel() }
    }

    /// Notes that the child can no longer start in time.
    ///
    /// - Returns: Whether that is so: it may have started, or ended.
    func giveUpStart() -> Bool {
        state.withLock { state in
            guard state.start == .awaited, !state.hasEnded, !state.isShutdownRequested else { return false }
            state.start = .overdue
            return true
        }
    }

    /// Whether the child was too slow to start.
    var isStartOverdue: Bool {
        state.withLock { $0.start == .overdue }
    }

    /// Notes that the body has ended.
    func end() {
        let (actions, timer) = state.withLock { state in
            state.hasEnded = true
            defer {
                state.onEnd = []
                state.startTimer = nil
            }
            return (state.onEnd, state.startTimer)
        }
        timer?.cancel()
        for action in actions { action() }
    }

    /// Whether the child was asked to stop before it is cancelled.
    var isAsked: Bool {
        state.withLock(\.isAsked)
    }

    /// Lets the child know that it is to stop.
    ///
    /// - Parameter gracefully: Whether it has time before it is cancelled.
    func requestShutdown(gracefully: Bool) {
        let (waiters, timer) = state.withLock { state in
            if gracefully, !state.isShutdownRequested { state.isAsked = true }
            state.isShutdownRequested = true
            defer {
                state.waiters = Waiters()
                state.startTimer = nil
            }
            return (state.waiters, state.startTimer)
        }
        // From here on it is the stop that has a limit.
        timer?.cancel()
        waiters.resume()
    }
}

/// Those who wait for a child to be told to stop: its body, and seldom more.
///
/// Each is resumed once: whoever takes it out under the lock does that.
private struct Waiters {
    typealias Continuation = UnsafeContinuation<Void, Never>

    private var first: (number: Int, continuation: Continuation)?
    private var others: [Int: Continuation]?
    private var last = 0

    mutating func nextNumber() -> Int {
        last += 1
        return last
    }

    mutating func add(_ continuation: Continuation, _ number: Int) {
        if first == nil {
            first = (number, continuation)
        } else {
            others = others ?? [:]
            others?[number] = continuation
        }
    }

    mutating func remove(_ number: Int) -> Continuation? {
        guard first?.number == number else { return others?.removeValue(forKey: number) }
        defer { first = nil }
        return first?.continuation
    }

    func resume() {
        first?.continuation.resume()
        for continuation in (others ?? [:]).values { continuation.resume() }
    }
}
