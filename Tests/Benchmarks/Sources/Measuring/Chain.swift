import Synchronization

/// Children that fail one after the other, each when the one before runs again, round and round.
public final class Chain: Sendable {
    /// What a child throws when it is its turn.
    public struct Failure: Error {
        /// Makes one.
        public init() {}
    }

    private let turns: [Signal]
    private let left = Atomic(0)
    private let isOver = Signal()

    /// Makes a chain that stands still.
    ///
    /// - Parameter count: How many children there are, numbered from zero.
    public init(_ count: Int) {
        turns = (0..<count).map { _ in Signal() }
    }

    /// What a child does once it runs.
    ///
    /// - Parameter number: Which child it is.
    /// - Throws: ``Failure`` when it is its turn. Returns when its task is cancelled.
    public func run(_ number: Int) async throws {
        if left.load(ordering: .sequentiallyConsistent) > 0 {
            if left.subtract(1, ordering: .sequentiallyConsistent).newValue == 0 {
                isOver.send()
            } else {
                turns[(number + 1) % turns.count].send()
            }
        }
        if await turns[number].isSent() { throw Failure() }
    }

    /// Has children fail, and waits until the last of them runs again.
    ///
    /// - Parameter count: How many failures there are to be.
    public func fail(_ count: Int) async {
        left.store(count, ordering: .sequentiallyConsistent)
        turns[0].send()
        await isOver.wait()
    }

    /// Has children fail up to a number, and measures each decade by itself: `to-1000`, `to-10000`, and so on.
    ///
    /// - Parameters:
    ///   - count: How many failures there are to be in all.
    ///   - meter: What is measured.
    public func fail(decadesTo count: Int, _ meter: Meter) async {
        await fail(min(count, turns.count))  // warm
        var (done, end) = (0, min(1_000, count))
        while done < count {
            meter.begin()
            await fail(end - done)
            meter.end("to-\(end)", each: end - done)
            (done, end) = (end, min(end * 10, count))
        }
    }
}
