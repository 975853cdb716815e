import Dispatch
import Supervision
import SupervisionLock
import Synchronization

/// Sees to it that a stop comes to its end also when no task can run any more.
///
/// A child that blocks every thread of Swift's cooperative pool, in a system call or on a lock, keeps the supervisors
/// from acting as well: nobody is told to stop, and nobody is abandoned. From the first request to stop on, this waits
/// on a queue of its own until a limit of the tree has passed at which a supervisor must have acted, and asks the
/// supervisor at the top whether it is there. When the answer has not come until ``margin`` after that limit, the
/// stop is stuck.
///
/// A question that was answered, however late, is no reason to end: neither a machine that was asleep nor a child that
/// is slow raises an alarm. Where the tree has no limit there is none to pass: then the manager's counts
/// (`TimeoutStopSec=`), as it does while the tree is still being made. Before a stop, a blocked pool is the watchdog's
/// business.
///
/// Costs nothing until a stop is asked for.
final class StopGuard: Sendable {
    /// What a blocked pool is given beyond the tree's own limit.
    static let margin = Duration.seconds(5)

    /// Who kept a stop from coming to its end.
    struct Blame: Sendable, Equatable {
        /// The children that were being stopped.
        var stopping: [ChildPath]
        /// The declared children that have yet to be told.
        var untold: [ChildPath]
    }

    private struct State {
        var stops: StopsUnderWay?
        var watch: (task: Task<Void, Never>, deadline: Duration)?
        /// How many signs of life there were: events, and answers.
        var signs = 0
        var isOver = false
    }

    private let supervisor: @Sendable () -> Supervisor?
    private let timekeeper: Timekeeper
    private let margin: Duration
    private let ask: @Sendable (_ answer: @escaping @Sendable () -> Void) -> Void
    private let isStuck: @Sendable (Blame) -> Void
    private let executor = QueueExecutor(DispatchQueue(label: "daemon-stop", qos: .userInteractive))
    private let hasBegun = Atomic(false)
    private let state = Locked(State())

    /// Guards a supervisor, which it does not hold.
    ///
    /// - Parameters:
    ///   - supervisor: The supervisor at the top.
    ///   - clock: What the limits of the tree are measured on; sleeping on it must not need the cooperative pool.
    ///   - margin: How long to wait beyond them.
    ///   - priority: The priority of the tree: the pool has threads for each.
    ///   - ask: Asks for a sign of life, which need not come; by default the supervisor, by a task of the pool.
    ///   - isStuck: Called once, on the guard's own queue, when it is certain.
    init(
        _ supervisor: Supervisor,
        clock: any Clock<Duration>,
        margin: Duration = StopGuard.margin,
        priority: TaskPriority? = nil,
        ask: (@Sendable (_ answer: @escaping @Sendable () -> Void) -> Void)? = nil,
        isStuck: @escaping @Sendable (Blame) -> Void
    ) {
        self.supervisor = { [weak supervisor] in supervisor }
        self.ask =
            ask ?? { [weak supervisor] answer in
                Task(priority: priority) {
                    // Where it runs no more, a thread that says so is all there is to ask for.
                    _ = await supervisor?.ping()
                    answer()
                }
            }
        self.margin = margin
        self.isStuck = isStuck
        timekeeper = Timekeeper(clock)
    }

    /// The tree has been asked to stop; more than once does nothing.
    func begin() {
        guard !hasBegun.load(ordering: .acquiring) else { return }
        let now = timekeeper.now
        let longest = supervisor()?.longestStop
        state.withLock { state in
            // The signal and the supervisor both come here, and whoever leaves first may read the stop's events.
            guard state.stops == nil else { return }
            state.stops = StopsUnderWay(at: now, longest: longest)
            hasBegun.store(true, ordering: .releasing)
            watch(&state)
        }
    }

    /// Takes note of what a supervisor of the tree does.
    func read(_ event: SupervisorEvent) {
        guard hasBegun.load(ordering: .acquiring) else { return }
        let now = timekeeper.now
        state.withLock { state in
            state.signs += 1
            state.stops?.read(event, at: now)
            watch(&state)
        }
    }

    /// The stop has come to its end.
    func end() async {
        let task = state.withLock { state in
            state.isOver = true
            state.watch?.task.cancel()
            return state.watch?.task
        }
        await task?.value
    }

    // MARK: -

    /// Sees to it that the next limit is noticed: one that is noticed too early is looked at again then.
    private func watch(_ state: inout State) {
        guard !state.isOver, let deadline = state.stops?.deadline else { return }
        if let watch = state.watch {
            guard deadline < watch.deadline else { return }
            watch.task.cancel()
        }
        state.watch = (
            Task(executorPreference: executor) { [self] in await keepWatch(from: deadline) }, deadline
        )
    }

    private func keepWatch(from first: Duration) async {
        var moment = first + margin / 2
        while await sleep(until: moment) {
            let now = timekeeper.now
            guard let (deadline, signs) = lookAgain() else { return }
            moment = deadline + margin / 2
            guard moment <= now else { continue }
            // Weakly: who never answers may hold the question for ever.
            ask { [weak self] in self?.state.withLock { $0.signs += 1 } }
            guard await sleep(until: now + margin / 2) else { return }
            if state.withLock({ $0.signs }) == signs { return report() }
            moment = timekeeper.now + margin / 2
        }
    }

    /// What is to be watched now, and how many signs of life there were; nil, and then nobody watches, for nothing.
    private func lookAgain() -> (deadline: Duration, signs: Int)? {
        state.withLock { state in
            guard !Task.isCancelled else { return nil }
            guard !state.isOver, let deadline = state.stops?.deadline else {
                state.watch = nil
                return nil
            }
            state.watch?.deadline = deadline
            return (deadline, state.signs)
        }
    }

    private func sleep(until moment: Duration) async -> Bool {
        (try? await timekeeper.sleep(until: moment)) != nil
    }

    private func report() {
        let stops = state.withLock { state -> StopsUnderWay? in
            guard !Task.isCancelled, !state.isOver else { return nil }
            state.isOver = true
            return state.stops
        }
        guard let stops else { return }
        let untold = supervisor()?.untold(isStopping: stops.contains) ?? []
        isStuck(Blame(stopping: stops.children, untold: untold))
    }
}

extension StopGuard.Blame: CustomStringConvertible {
    /// One line: what is wrong, who was being stopped, and who had yet to be told.
    var description: String {
        var parts = ["no task can run, every thread of the cooperative pool is blocked"]
        if !stopping.isEmpty { parts.append("still being stopped: \(names(stopping))") }
        if !untold.isEmpty { parts.append("not yet told to stop: \(names(untold))") }
        return parts.joined(separator: ": ")
    }

    private func names(_ children: [ChildPath]) -> String {
        // Of a million it is enough to read the first.
        var names = children.prefix(10).map { "\"\($0)\"" }
        if children.count > names.count { names.append("and \(children.count - names.count) more") }
        return names.joined(separator: ", ")
    }
}
