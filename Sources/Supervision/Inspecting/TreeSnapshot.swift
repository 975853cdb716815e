/// What one member of a tree was doing at one moment, and what stands below it.
///
/// ```swift
/// print(await supervisor.snapshot())
/// ```
///
/// prints the whole tree:
///
/// ```text
/// supervisor (one for one) running for 2.5 seconds
/// ├─ database running for 2.5 seconds
/// ├─ feed waiting for 0.1 seconds, starts again in 0.9 seconds, restarted 3 times, last error: no route
/// └─ web (rest for one) starting for 0.4 seconds, waits for web/http to start
///    └─ http starting for 0.4 seconds
/// ```
public struct TreeSnapshot: Sendable {
    /// Where it stands.
    public var path: ChildPath

    /// What it is.
    public var kind: Kind

    /// What it was doing.
    public var state: State

    /// When it came to that, on the tree's clock; as ``SupervisorEvent/time``.
    public var since: Duration

    /// When the snapshot was taken, on the same clock.
    public var time: Duration

    /// How often it has been started again.
    public var restarts: Int

    /// What it threw when it last ended, if it threw.
    ///
    /// A `CancellationError` is not shown, also where nobody had told the child to stop.
    public var lastError: (any Error)?

    /// What must happen before it can go on, where it waits for something.
    public var waitsFor: Waiting?

    /// How many children it has.
    ///
    /// More than there are in ``children`` where a limit was given, or where its children were not asked for.
    public var childCount: Int

    /// What stands below it.
    public var children: [TreeSnapshot]

    /// What can stand in a tree.
    public enum Kind: Sendable, Hashable {
        /// Something that does the work.
        case worker
        /// A supervisor of this strategy.
        case supervisor(Strategy)
        /// A supervisor whose children come and go.
        case dynamicSupervisor
    }

    /// What a child or a supervisor can be doing.
    public enum State: String, Sendable, Hashable, CaseIterable {
        /// It has not been started yet.
        case notStarted = "not started"
        /// Its body runs and has not yet said that it has started.
        case starting
        /// It has started.
        case running
        /// It will be started again.
        case waiting
        /// It has been told to stop.
        case stopping
        /// It was stopped together with others.
        case stopped
        /// It was stopped because somebody asked for it.
        case terminated
        /// It has ended by itself, and is not to be started again.
        case done
        /// It has failed, and is not started again.
        case givenUp = "given up"
        /// It was told to stop, and runs on.
        case abandoned
    }

    /// What can be waited for.
    public enum Waiting: Sendable, Hashable {
        /// That child is to start.
        case start(ChildPath)
        /// That child is to stop; it has this much time left on its supervisor's clock, if its time is limited.
        case stop(ChildPath, left: Duration?)
        /// This much time is to pass, on its supervisor's clock, before it is started again.
        case restart(left: Duration)
    }
}

extension TreeSnapshot {
    /// Its name: the last id of its path, or `supervisor` at the top.
    public var id: String { path.ids.last ?? "supervisor" }

    /// The member of the tree at that path, if the snapshot has it.
    ///
    /// - Parameter path: Where it stands, from the top of the tree.
    /// - Returns: The snapshot of it.
    public subscript(path: ChildPath) -> TreeSnapshot? {
        if self.path == path { return self }
        guard path.ids.starts(with: self.path.ids) else { return nil }
        return children.lazy.compactMap { $0[path] }.first
    }
}

extension TreeSnapshot: CustomStringConvertible {
    /// The tree as text, a line for each member.
    public var description: String {
        lines.joined(separator: "\n")
    }

    /// The lines of ``description``.
    public var lines: [String] {
        var lines = [line]
        let hidden = childCount - children.count
        for (position, child) in children.enumerated() {
            let isLast = position == children.count - 1 && hidden <= 0
            lines += child.lines.enumerated().map { number, line in
                (number == 0 ? (isLast ? "└─ " : "├─ ") : (isLast ? "   " : "│  ")) + line
            }
        }
        if hidden > 0, kind != .worker { lines.append("└─ and \(hidden) more") }
        return lines
    }

    private var line: String {
        var line = id
        switch kind {
        case .worker: break
        case .supervisor(.oneForOne): line += " (one for one)"
        case .supervisor(.oneForAll): line += " (one for all)"
        case .supervisor(.restForOne): line += " (rest for one)"
        case .dynamicSupervisor: line += " (dynamic)"
        }
        line += " \(state.rawValue)"
        if state != .notStarted { line += " for \(time - since)" }
        switch waitsFor {
        case .start(let child): line += ", waits for \(child) to start"
        case .stop(let child, let left):
            line += ", waits for \(child) to stop"
            if let left { line += ", for at most \(left)" }
        case .restart(let left): line += ", starts again in \(left)"
        case nil: break
        }
        if restarts > 0 { line += ", restarted \(restarts) \(restarts == 1 ? "time" : "times")" }
        if let lastError { line += ", last error: \(lastError)" }
        return line
    }
}
