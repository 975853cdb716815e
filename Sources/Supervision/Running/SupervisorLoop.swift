/// The tasks that act for a supervisor while it runs.
///
/// Children are begun on the thread of whoever acts, see ``Turn``; so it is not the task that called the
/// supervisor's `run` that acts, but one that can be left behind with a child that does not let go of the thread.
/// All are made by the caller's task, so that the children inherit its task-local values.
///
/// `@unchecked`: only the task that has the turn touches the run, and the turn is handed on with everything that was
/// written before.
final class SupervisorLoop<Machine: Decider>: @unchecked Sendable {
    private var run: SupervisorRun<Machine>
    private let turn = Turn()
    private let inbox: Inbox

    /// How many children are begun in a row before others have the thread.
    private static var patience: Int { 64 }

    init(_ run: SupervisorRun<Machine>) {
        self.run = run
        inbox = run.place.inbox
    }

    /// Runs until nothing is left to do.
    func perform() async throws {
        while await turn.hand({ Task { await act() } }) == .vacant {}
        if let failure = run.failure { throw failure }
    }

    private func act() async {
        let early = EarlyTask()
        var begun = 0
        while true {
            switch run.advance() {
            case .begin(let child):
                early.clear()
                run.begin(child, early)
                let loan = turn.lend()
                let task = child.begin(known: early)
                guard turn.takeBack(loan) else { return early.end(task) }
                run.begun(child.ref, task)
                begun += 1
                if begun == Self.patience {
                    begun = 0
                    await Task.yield()
                }
            case .wait:
                begun = 0
                await inbox.wait()
            case .over:
                return turn.end()
            }
        }
    }
}
