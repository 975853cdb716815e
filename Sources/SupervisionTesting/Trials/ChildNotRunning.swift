public import Supervision

/// A test wants to do something to a child that does not run.
public struct ChildNotRunning: Error, CustomStringConvertible {
    /// The child.
    public let child: ChildPath

    /// The children that run.
    public let running: [ChildPath]

    /// Which child does not run, and which do.
    public var description: String {
        let paths = running.map(\.description).sorted()
        return
            "\(child) does not run; what runs is \(paths.isEmpty ? "nothing" : paths.joined(separator: ", "))"
    }
}
