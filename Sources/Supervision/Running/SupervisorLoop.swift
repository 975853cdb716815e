/// The tasks that act for a supervisor while it runs, and the threads that do so as they come by.
///
/// Children are begun on the thread of whoever acts, see ``Turn``; so it is not the task that called the
/// supervisor's `run` that acts, but one that can be left behind with a child that does not let go of the thread.
/// All are made by the caller's task, so that the children inherit its task-local values; where they run is up to
/// ``LoopExecutor``.
///
/// While such a task waits for news, a child that has ended acts in its place: it has inherited the same, has the
/// thread already, and nothing else to do. That spares a supervisor its own change of tasks for each child that ends.
///
/// `@unchecked`: only whoever has the turn touches the run and what else there is, and the turn is handed on with
/// everything that was written before: with the locks of the turn and of the inbox.
final class SupervisorLoop<Machine: Decider>: @unchecked Sendable {
    /// Why whoever acts does not go on.
    private enum Pause {
        /// There is nothing to do before there is news.
        case idle
        /// Others are to have the thread.
        case tired
        /// Another task has the turn.
        case lost
        /// All is done.
        case over
    }

    /// How many steps are taken in a row on the pool: for less than a millisecond, where children begin as they should.
    private static var patience: Int { 256 }
    /// How many are taken on the thread of somebody else: one child is begun or told to stop, or a call is answered.
    private static var visit: Int { 2 }

    // Nobody else can be at it, by the same proof, and what it calls comes back to it by the inbox alone: each access
    // would be looked up, several for each start.
    @exclusivity(unchecked) private var run: SupervisorRun<Machine>
    /// By what the child is known that is being begun.
    @exclusivity(unchecked) private var early: EarlyTask?
    private let turn = Turn()
    private let inbox: Inbox

    init(_ run: SupervisorRun<Machine>) {
        self.run = run
        inbox = run.place.inbox
    }

    /// Runs until nothing is left to do.
    func perform() async throws {
        // Not on this thread: the task whose it is has to be there for the next one.
        while await turn.hand({ Task(executorPreference: inbox.executor) { [self] in await act() } })
            == .vacant
        {}
        if let failure = run.failure() { throw failure }
    }

    private func act() async {
        // What was here may still be in the hands of somebody who has lost the turn.
        early = nil
        run.loseThread()
        var allowance = Self.patience
        while true {
            switch work(&allowance) {
            case .idle:
                let call = await withUnsafeContinuation { task in
                    if !wait(task) { task.resume(returning: .stay) }
                }
                // Where the call came before anybody waited, nothing else tells the thread sanitizer that it has come.
                inbox.meet()
                switch call {
                case .stay: break
                case .work: allowance = Self.patience
                case .visit: allowance = Self.visit
                case .leave: return
                }
            case .tired:
                await Task.yield()
                allowance = Self.patience
            case .lost:
                return
            case .over:
                return turn.end()
            }
        }
    }

    /// Takes so many steps, or as many as there are to take.
    private func work(_ allowance: inout Int) -> Pause {
        while allowance > 0 {
            allowance -= 1
            switch run.advance() {
            case .begin(let child):
                let early = early ?? makeEarly()
                early.clear()
                run.begin(child, early)
                let loan = turn.lend()
                let task = child.begin(known: early)
                guard turn.takeBack(loan) else {
                    early.end(task)
                    return .lost
                }
                run.begun(child.ref, task)
            case .tell(let order):
                guard give(order) else { return .lost }
            case .wait(let order):
                // As late as that: this thread has nothing else to do when the news of the child's end comes.
                if let order, !give(order) { return .lost }
                return .idle
            case .over:
                return .over
            }
        }
        return .tired
    }

    private func makeEarly() -> EarlyTask {
        let early = EarlyTask()
        self.early = early
        return early
    }

    /// Tells a child something.
    ///
    /// - Returns: Whether the turn is still here: the child may have kept the thread.
    private func give(_ order: consuming Order) -> Bool {
        let loan = turn.lend()
        order.give()
        return turn.takeBack(loan)
    }

    /// Has a task go on when there is news, or somebody act in its place.
    ///
    /// - Returns: Whether that will be; false where there is news already.
    private func wait(_ task: Inbox.Reader.Waiting) -> Bool {
        inbox.wait(Inbox.Reader(task: task) { [self] in visit(for: $0) })
    }

    /// Acts for the task that waits.
    private func visit(for task: Inbox.Reader.Waiting) {
        var allowance = Self.visit
        while true {
            switch work(&allowance) {
            case .idle:
                guard !wait(task) else { return }
            case .tired:
                inbox.meet()
                return task.resume(returning: .work)
            case .lost:
                return task.resume(returning: .leave)
            case .over:
                turn.end()
                return inbox.executor.lend { task.resume(returning: .leave) }
            }
        }
    }
}
