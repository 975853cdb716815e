import Supervision
import SupervisionLock
import Systemd

/// Keeps the service manager patient while the tree starts or stops, for as long as the tree's own limits allow.
///
/// The manager has a limit for a start and for a stop (`TimeoutStartSec=`, `TimeoutStopSec=`), which knows nothing
/// of the children. The tree has one for each of them. While a child uses up its own, this asks the manager for
/// more time (`EXTEND_TIMEOUT_USEC`), a little at a time: a process that has come to a standstill asks no more,
/// and what has no limit in the tree has the manager's. Where the manager's own is longer, it is that which counts.
final class ManagerPatience: Sendable {
    /// What is asked for at a time, at most.
    static let slice = Duration.seconds(10)

    /// What the tree takes to act on a limit that has been reached.
    static let reaction = Duration.seconds(1)

    /// The stops that a supervisor is waiting for.
    fileprivate struct Stops {
        var count: Int
        var end: Duration
        /// The child that is stopped, where there has been no more than one.
        var only: ChildPath?
    }

    /// What the manager waits for.
    fileprivate enum Wait {
        case start, nothing, stop
    }

    fileprivate struct State {
        var wait = Wait.start
        /// The children that are starting, and when each will have been given up.
        var starts: [ChildPath: Duration] = [:]
        /// The supervisors that stop children, and when those will have been given up.
        var stops: [ChildPath: Stops] = [:]
        /// The children whose stop is not waited for any more.
        var abandoned: Set<ChildPath> = []
        /// Until when the manager must wait; it may be less by now.
        var end = Duration.zero
        /// Until when the manager has been asked to wait, and by how much it was the last time.
        var promise: (end: Duration, amount: Duration)?
        var asking: Task<Void, Never>?
        var isOver = false
    }

    private let notifier: Notifier
    private let timekeeper: Timekeeper
    private let state = Locked(State())

    init(notifier: Notifier, clock: any Clock<Duration>) {
        self.notifier = notifier
        timekeeper = Timekeeper(clock)
    }

    /// Takes note of what a supervisor of the tree does.
    ///
    /// Of stops also while the manager waits for nothing: what a restart takes down then may have a part in the stop.
    func read(_ event: SupervisorEvent) {
        guard let child = event.child else { return }
        let now = timekeeper.now
        state.withLock { state in
            guard !state.isOver else { return }
            switch event.kind {
            case .childStarting:
                // What starts during a stop is told to stop in its turn.
                guard state.wait == .start, let limit = event.limit else { return }
                state.begin(start: child, end: now + limit + Self.reaction)
            case .childStarted, .childIgnored, .childEnded:
                state.starts[child] = nil
                return
            case .childStopping:
                state.starts[child] = nil
                guard let limit = event.limit else { return }
                state.begin(stop: child, in: event.supervisor, end: now + limit + Self.reaction)
            case .childStopped:
                if state.abandoned.remove(child) == nil { state.endStop(in: event.supervisor) }
                return
            case .childAbandoned:
                state.abandoned.insert(child)
                state.endStop(in: event.supervisor)
                return
            default:
                return
            }
            if state.wait != .nothing { ask(&state, at: now) }
        }
    }

    /// The service is ready: the manager waits for nothing now.
    func becameReady() {
        state.withLock { state in
            if state.wait == .start { state.begin(.nothing) }
        }
    }

    /// The service stops, and the manager waits for that: also for what is being stopped already.
    func beginStop() {
        let now = timekeeper.now
        state.withLock { state in
            guard !state.isOver, state.wait != .stop else { return }
            state.begin(.stop)
            ask(&state, at: now)
        }
    }

    /// Asks for no more time.
    func end() async {
        let asking = state.withLock { state in
            state.isOver = true
            state.asking?.cancel()
            return state.asking
        }
        await asking?.value
    }

    // MARK: -

    /// Asks for time, where none is left of what was granted, and sees to it that more is asked for in time.
    private func ask(_ state: inout State, at now: Duration) {
        if state.promise.map({ $0.end <= now }) ?? true { promise(&state, at: now) }
        guard state.asking == nil, state.isMoreNeeded else { return }
        state.asking = Task { await askAgain() }
    }

    /// Asks for what is needed from now on, at most a slice.
    private func promise(_ state: inout State, at now: Duration) {
        let amount = min(state.end - now, Self.slice)
        guard amount > .zero else { return }
        state.promise = (now + amount, amount)
        notifier.send(.extendTimeout(by: amount))
    }

    /// Asks half-way through what was granted, until nothing more is needed.
    private func askAgain() async {
        while let moment = state.withLock({ $0.nextMoment() }) {
            guard (try? await timekeeper.sleep(until: moment)) != nil else { return }
            let now = timekeeper.now
            state.withLock { state in
                guard !Task.isCancelled else { return }
                state.reckon()
                if state.isMoreNeeded { promise(&state, at: now) }
            }
        }
    }
}

extension ManagerPatience.State {
    var isMoreNeeded: Bool { end > promise?.end ?? .zero }

    /// The manager waits for something else: no start counts any more, nor what was granted for one.
    mutating func begin(_ wait: ManagerPatience.Wait) {
        self.wait = wait
        starts = [:]
        promise = nil
        asking?.cancel()
        asking = nil
        reckon()
    }

    mutating func begin(start child: ChildPath, end: Duration) {
        // A supervisor that is to start in time has that for all its children.
        let end = min(end, child.supervisors.compactMap { starts[$0] }.min() ?? end)
        starts[child] = end
        self.end = max(self.end, end)
    }

    mutating func begin(stop child: ChildPath, in supervisor: ChildPath, end: Duration) {
        // What is stopped as a part of something else has no longer than that.
        let wholes = child.supervisors.compactMap { whole in
            stops[whole.parent].flatMap { $0.only == nil || $0.only == whole ? $0.end : nil }
        }
        let end = min(end, wholes.min() ?? end)
        let others = stops[supervisor]
        stops[supervisor] = ManagerPatience.Stops(
            count: (others?.count ?? 0) + 1,
            end: max(others?.end ?? end, end),
            only: others == nil ? child : nil
        )
        self.end = max(self.end, end)
    }

    mutating func endStop(in supervisor: ChildPath) {
        guard let others = stops[supervisor] else { return }
        stops[supervisor] =
            others.count > 1 ? ManagerPatience.Stops(count: others.count - 1, end: others.end) : nil
    }

    /// Finds out until when the manager must wait, now that something may have ended.
    mutating func reckon() {
        end = max(starts.values.max() ?? .zero, stops.values.map(\.end).max() ?? .zero)
    }

    /// When the manager is to be asked again; nil, and then nobody does, when what was granted is enough.
    mutating func nextMoment() -> Duration? {
        guard !Task.isCancelled else { return nil }
        reckon()
        guard isMoreNeeded, let promise else {
            asking = nil
            return nil
        }
        return promise.end - promise.amount / 2
    }
}

extension ChildPath {
    /// The supervisors above, that at the top aside.
    fileprivate var supervisors: [ChildPath] {
        ids.indices.dropFirst().map { ChildPath(Array(ids[..<$0])) }
    }

    fileprivate var parent: ChildPath { ChildPath(Array(ids.dropLast())) }
}
