import Synchronization

/// How many have done something: a contender that loses one is not fast but wrong.
public final class Tally: Sendable {
    private let counted = Atomic(0)

    /// Begins with none.
    public init() {}

    /// One more.
    ///
    /// - Returns: How many there are with it.
    @discardableResult
    public func add() -> Int {
        counted.add(1, ordering: .relaxed).newValue
    }

    /// Checks the number.
    ///
    /// - Parameters:
    ///   - count: What it must be.
    ///   - what: What they did.
    /// - Throws: ``Wrong`` when it is another.
    public func expect(_ count: Int, _ what: String) throws {
        let found = counted.load(ordering: .sequentiallyConsistent)
        guard found == count else { throw Wrong("\(found) have \(what), not \(count)") }
    }
}

/// Why figures mean nothing.
public struct Wrong: Error, CustomStringConvertible {
    /// What is wrong.
    public let description: String

    /// Describes what is wrong.
    ///
    /// - Parameter description: The text.
    public init(_ description: String) {
        self.description = description
    }
}
