public import Supervision

/// A run has ended, and something of it is still there.
public struct LeftBehind: Error, CustomStringConvertible {
    /// The children whose bodies still run.
    public let children: [ChildPath]

    /// The children that have ended, but have begun tasks that have not.
    public let tasks: [ChildPath]

    /// Who left what.
    public var description: String {
        let running = children.map { "\($0) still runs" }
        return (running + tasks.map { "\($0) has left a task running" }).joined(separator: "; ")
    }
}

extension Faults {
    /// Expects that the children have ended, and the tasks that they began.
    ///
    /// A task that has ended is gone a moment later, and nothing tells when.
    func expectNothingLeft() async throws {
        for _ in 0..<100_000 {
            if unfinished.isEmpty { return }
            await Task.yield()
        }
        let running = running
        throw LeftBehind(children: running, tasks: unfinished.filter { !running.contains($0) })
    }
}
