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

    /// What others hold to reach the child.
    let referent: (any Referent)?

    /// Whether it counts as started when its body begins, by itself.
    let startsAtOnce: Bool

    /// Where the child stands among all of the tree: its number among its siblings, after those of the
    /// supervisors above it.
    package var position: [Int] { place.position + [ref.slot] }

    private let id: String
    private let state: Locked<State>

    /// Whether the child has started.
    private enum Start {
        case awaited, made, overdue
    }

    /// A body by itself: an optional function would be called through thunks, with a frame for each.
    struct Body {
        let run: ChildSpec.Body

        init(run: @escaping ChildSpec.Body) {
            self.run = run
        }

        /// A body in the hands of a test.
        init(staging: any Staging, _ body: @escaping ChildSpec.Body, startsAtOnce: Bool) {
            run = { context in
                try await staging.perform(context) {
                    if startsAtOnce { context.started() }
                    try await body(context)
                }
            }
        }
    }

    private struct State {
        /// What is to be run; only until it is, because the body may hold what holds this.
        var body: Body?
        /// The task that runs it, where that is known.
        var task: TaskIdentity?
        var start = Start.awaited
        var startTimer: Task<Void, Never>?
        var isShutdownRequested = false
        var isAsked = false
        var waiters = Waiters()
        var hasEnded = false
        /// Whether its first steps are taken on a thread that somebody began it on, who has more to do there.
        var keepsThread = false
        var onEnd: [@Sendable () -> Void] = []
    }

    init(_ ref: ChildRef, _ spec: __shared ChildSpec, in place: SupervisorPlace) {
        id = spec.id
        referent = spec.referent
        self.ref = ref
        self.place = place
        let body: Body
        if let staging = place.tree.staging {
            startsAtOnce = false
            body = Body(staging: staging, spec.body, startsAtOnce: spec.startsAtOnce)
        } else {
            startsAtOnce = spec.startsAtOnce
            body = Body(run: spec.body)
        }
        state = Locked(State(body: body))
    }

    /// The body, once, for the task that runs it.
    func takeBody(runBy task: TaskIdentity?) -> Body? {
        state.withLock { state in
            state.task = task
            return state.body.take()
        }
    }

    /// Reports that the child has started, so that the child below it is started next.
    ///
    /// Only the first call counts; one after the body has ended does nothing. The body of a spec that takes no
    /// context has no need of this.
    public func started() {
        reportStart()
    }

    /// Reports that the child has started.
    ///
    /// - Returns: Whether it may go on: it was neither too late, nor told to stop before. One that may not is
    ///   cancelled, if not now, then in a moment.
    @discardableResult
    package func reportStart() -> Bool {
        let (isNews, mayGoOn, timer) = state.withLock { state in
            let isNews = state.start == .awaited
            if isNews { state.start = .made }
            defer { if isNews { state.startTimer = nil } }
            let mayGoOn = state.start == .made && !state.isShutdownRequested
            return (isNews, mayGoOn, isNews ? state.startTimer : nil)
        }
        guard isNews else { return mayGoOn }
        timer?.cancel()
        // The machine knows which news is no news.
        place.inbox.send(.started(ref))
        return mayGoOn
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
    ///
    /// The task of the body is cancelled by its supervisor, or by the body itself before this call. Should the body
    /// give an `UnsafeCurrentTask` of its own away, and be cancelled by that meanwhile, this does not return for it.
    public nonisolated(nonsending) func shutdownRequested() async {
        // Who cancels the body lets go of it here as well. Others have to look out for their cancellation, which
        // costs more than all the rest of the wait.
        if isBody(.current) { return await wait(Waiters.body) }
        let waiter = state.withLock { $0.waiters.nextNumber() }
        await withTaskCancellationHandler {
            await wait(waiter)
        } onCancel: {
            state.withLock { $0.waiters.remove(waiter) }?.resume()
        }
    }

    /// Whether it is the task that runs the body.
    private func isBody(_ task: TaskIdentity?) -> Bool {
        task != nil && state.withLock { $0.task == task }
    }

    private nonisolated(nonsending) func wait(_ waiter: UInt32) async {
        await withUnsafeContinuation { continuation in
            let isOver = state.withLock { state in
                guard !state.isShutdownRequested, !Task.isCancelled else { return true }
                state.waiters.add(continuation, waiter)
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    /// Lets go of the body where it waits to be told to stop: its task has been cancelled.
    func letGo() {
        state.withLock { $0.waiters.remove(Waiters.body) }?.resume()
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
            // One that is too late already has yet to end.
            guard state.start != .made, !state.hasEnded, !state.isShutdownRequested else { return false }
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

    /// Notes that the first steps take long: whoever began the child is still below them on the stack.
    func keepThread() {
        state.withLock { $0.keepsThread = true }
    }

    /// Notes that the body has ended.
    ///
    /// - Returns: Whether others may use the thread: nobody is below on the stack.
    func end() -> Bool {
        let (actions, timer, isFree) = state.withLock { state in
            state.hasEnded = true
            // Another may be at its place by and by.
            state.task = nil
            defer {
                state.onEnd = []
                state.startTimer = nil
            }
            return (state.onEnd, state.startTimer, !state.keepsThread)
        }
        timer?.cancel()
        for action in actions { action() }
        return isFree
    }

    /// Whether the child was asked to stop before it is cancelled.
    var isAsked: Bool {
        state.withLock(\.isAsked)
    }

    /// Lets the child know that it is to stop.
    ///
    /// - Parameter gracefully: Whether it has time before it is cancelled, where it has started.
    /// - Returns: Whether it has time: it need not be cancelled now.
    @discardableResult
    func requestShutdown(gracefully: Bool) -> Bool {
        let (isAsked, waiters, timer) = state.withLock { state in
            if gracefully, !state.isShutdownRequested { state.isAsked = state.start == .made }
            state.isShutdownRequested = true
            defer {
                state.waiters = Waiters()
                state.startTimer = nil
            }
            return (state.isAsked, state.waiters, state.startTimer)
        }
        // From here on it is the stop that has a limit.
        timer?.cancel()
        waiters.resume()
        return isAsked
    }
}

/// Those who wait for a child to be told to stop: its body, and seldom more.
///
/// Each is resumed once: whoever takes it out under the lock does that.
private struct Waiters {
    typealias Continuation = UnsafeContinuation<Void, Never>

    /// The number of the body; the others have those that follow.
    static var body: UInt32 { 0 }

    private var first: Continuation?
    private var firstNumber = body
    private var last = body
    private var others: [UInt32: Continuation]?

    mutating func nextNumber() -> UInt32 {
        last &+= 1
        return last
    }

    mutating func add(_ continuation: Continuation, _ number: UInt32) {
        if first == nil {
            (first, firstNumber) = (continuation, number)
        } else {
            others = others ?? [:]
            others?[number] = continuation
        }
    }

    mutating func remove(_ number: UInt32) -> Continuation? {
        guard first != nil, firstNumber == number else { return others?.removeValue(forKey: number) }
        return first.take()
    }

    func resume() {
        first?.resume()
        guard let others else { return }
        for continuation in others.values { continuation.resume() }
    }
}
