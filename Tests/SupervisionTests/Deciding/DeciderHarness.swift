@testable import Supervision

extension Decider {
    /// Puts something in.
    ///
    /// - Returns: What comes out.
    mutating func give(_ input: Input, at now: Duration) -> [Action] {
        handle(input, at: now)
        var taken: [Action] = []
        while let action = actions.pop() { taken.append(action) }
        return taken
    }

    mutating func start(at now: Duration) -> [Action] { give(.start, at: now) }

    mutating func childStarted(_ ref: ChildRef, at now: Duration) -> [Action] {
        give(.childStarted(ref), at: now)
    }

    mutating func childEnded(
        _ ref: ChildRef,
        _ exit: Exit,
        response: FailureResponse = .restart,
        at now: Duration
    ) -> [Action] {
        give(.childEnded(ref, exit, response: response), at: now)
    }

    mutating func stopRequested(at now: Duration) -> [Action] { give(.stop, at: now) }

    mutating func deadlineReached(at now: Duration) -> [Action] { give(.time, at: now) }

    mutating func call(_ number: Int, _ call: Call, at now: Duration) -> [Action] {
        give(.call(number: number, call), at: now)
    }
}
