/// Reminds a supervisor of its next deadline.
///
/// A timer that is set too early is left alone: when it goes off, the right one is set. So a row of children
/// that stop in time costs one timer, not one each.
struct DeadlineTimer {
    private let timekeeper: Timekeeper
    private let inbox: Inbox
    private var task: Task<Void, Never>?
    /// What it is set for.
    private var armed: Duration?

    init(_ timekeeper: Timekeeper, inbox: Inbox) {
        self.timekeeper = timekeeper
        self.inbox = inbox
    }

    /// Sees to it that a deadline is noticed.
    mutating func arm(for deadline: Duration?) {
        guard let deadline else { return }
        if let armed {
            guard deadline < armed else { return }
            task?.cancel()
        }
        task = Task { [inbox, timekeeper] in
            guard (try? await timekeeper.sleep(until: deadline)) != nil else { return }
            inbox.send(.timer(deadline))
        }
        armed = deadline
    }

    /// Takes note that the timer for that deadline has gone off.
    ///
    /// One that was replaced in the same moment is none of ours any more.
    mutating func wentOff(_ deadline: Duration) {
        if armed == deadline { armed = nil }
    }

    func cancel() {
        task?.cancel()
    }
}
