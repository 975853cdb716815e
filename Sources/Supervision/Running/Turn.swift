import SupervisionLock
import Synchronization

/// Whose turn it is to act for a supervisor: of several tasks, one at a time, or whoever does it in the place of one.
///
/// A task that has the turn begins children on its own thread: what a child does until it suspends for the first
/// time costs no change of threads. For as long as that takes the turn is on loan. A child that keeps the thread,
/// because it computes or blocks, is to hold nobody up: then another task is given the turn.
final class Turn: Sendable {
    /// Odd while the turn is on loan.
    ///
    /// It rises with each loan and each return, so that one is known from another.
    private let count = Atomic<UInt>(0)
    /// Whether somebody looks whether a loan takes too long.
    private let isWatched: Atomic<Bool>
    private let owner = Locked<UnsafeContinuation<Outcome, Never>?>(nil)

    /// What has come of a turn.
    enum Outcome {
        /// All is done.
        case over
        /// A loan took too long: another task is to act.
        case vacant
    }

    /// Makes a turn.
    ///
    /// - Parameter isWatched: Whether somebody looks after it already; otherwise it finds somebody itself.
    init(isWatched: Bool = false) {
        self.isWatched = Atomic(isWatched)
    }

    /// Has somebody act, and waits until that is over, or somebody else is needed.
    func hand(_ act: () -> Void) async -> Outcome {
        let outcome = await withUnsafeContinuation { continuation in
            owner.withLock { $0 = continuation }
            act()
        }
        // Where that came before anybody waited, nothing else tells the thread sanitizer that it has come.
        owner.withLock { _ in }
        return outcome
    }

    /// Ends it: whoever handed it out goes on.
    func end(_ outcome: Outcome = .over) {
        // Under the lock: see above. Nothing goes on here, it is only handed to its executor.
        owner.withLock { $0.take()?.resume(returning: outcome) }
    }

    /// Lends the turn out.
    ///
    /// - Returns: What to give back.
    func lend() -> UInt {
        let loan = count.add(1, ordering: .sequentiallyConsistent).newValue
        if !isWatched.load(ordering: .sequentiallyConsistent),
            !isWatched.exchange(true, ordering: .sequentiallyConsistent)
        {
            TurnWatch.shared.watch(self)
        }
        return loan
    }

    /// Takes the turn back.
    ///
    /// - Returns: Whether that is so; false where another task has it by now.
    func takeBack(_ loan: UInt) -> Bool {
        count.compareExchange(expected: loan, desired: loan + 1, ordering: .acquiringAndReleasing).exchanged
    }

    // MARK: - For whoever watches

    /// How many loans and returns there have been.
    var reading: UInt { count.load(ordering: .sequentiallyConsistent) }

    /// Looks at what has become of the turn since `reading`.
    ///
    /// - Returns: Whether it is to be looked at again.
    func look(since reading: UInt) -> Bool {
        guard self.reading == reading else { return true }
        guard reading % 2 == 0 else {
            // Nothing but the one loan in all that time.
            if takeBack(reading) { end(.vacant) }
            return true
        }
        isWatched.store(false, ordering: .sequentiallyConsistent)
        // One that was lent meanwhile found itself watched.
        guard self.reading != reading else { return false }
        return !isWatched.exchange(true, ordering: .sequentiallyConsistent)
    }
}
