/// Reminds a supervisor of its next deadline.
///
/// A timer that is set too early is left alone: when it goes off, the right one is set. So a row of children
/// that stop in time costs one timer, not one each.
struct DeadlineTimer {
    private let timekeeper: Timekeeper
    private let inbox: Inbox
    private var armed: (task: Task<Void, Never>, deadline: Duration)?

    init(_ timekeeper: Timekeeper, inbox: Inbox) {
        self.timekeeper = timekeeper
        self.inbox = inbox
    }

    /// Sees to it that a deadline is noticed.
    mutating func arm(for deadline: Duration?) {
        guard let deadline else { return }
        if let armed {
            guard deadline < armed.deadline else { return }
            armed.task.cancel()
        }
        let task = Task { [inbox, timekeeper] in
            guard (try? await timekeeper.sleep(until: deadline)) != nil else { return }
            inbox.send(.timer(deadline))
        }
        armed = (task, deadline)
    }

    /// Takes note that the timer for that deadline has gone off.
    ///
    /// One that was replaced in the same moment is none of ours any more.
    mutating func wentOff(_ deadline: Duration) {
        if armed?.deadline == deadline { armed = nil }
    }

    func cancel() {
        armed?.task.cancel()
    }
}
