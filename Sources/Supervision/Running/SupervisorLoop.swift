/// The tasks that act for a supervisor while it runs.
///
/// Children are begun on the thread of whoever acts, see ``Turn``; so it is not the task that called the
/// supervisor's `run` that acts, but one that can be left behind with a child that does not let go of the thread.
/// All are made by the caller's task, so that the children inherit its task-local values; where they run is up to
/// ``LoopExecutor``.
///
/// `@unchecked`: only the task that has the turn touches the run, and the turn is handed on with everything that was
/// written before.
final class SupervisorLoop<Machine: Decider>: @unchecked Sendable {
    // Nobody else can be at it, by the same proof, and what it calls comes back to it by the inbox alone: each access
    // would be looked up, several for each start.
    @exclusivity(unchecked) private var run: SupervisorRun<Machine>
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
        let early = EarlyTask()
        var allowance = 0
        inbox.executor.renew(&allowance)
        while true {
            if allowance == 0 {
                // Others have the thread.
                await Task.yield()
                inbox.executor.renew(&allowance)
            }
            allowance -= 1
            switch run.advance() {
            case .begin(let child):
                early.clear()
                run.begin(child, early)
                let loan = turn.lend()
                let task = child.begin(known: early)
                guard turn.takeBack(loan) else { return early.end(task) }
                run.begun(child.ref, task)
            case .tell(let order):
                guard give(order) else { return }
            case .wait(let order):
                // As late as that: this thread has nothing else to do when the news of the child's end comes.
                if let order, !give(order) { return }
                await withUnsafeContinuation { inbox.wait($0) }
                inbox.executor.renew(&allowance)
            case .over:
                return turn.end()
            }
        }
    }

    /// Tells a child something.
    ///
    /// - Returns: Whether the turn is still here: the child may have kept the thread.
    private func give(_ order: Order) -> Bool {
        let loan = turn.lend()
        order.give()
        return turn.takeBack(loan)
    }
}
