public import Supervision

extension Story {
    /// Expects that something was over before something else began.
    ///
    /// Of what happened more than once the first time counts. What one entry tells, such as two lines of one
    /// notification, came at once: neither is before the other.
    ///
    /// - Parameters:
    ///   - first: What is to have come first.
    ///   - second: What is to have come afterwards.
    ///   - fileID: The file that a failure names.
    ///   - line: The line that a failure names.
    /// - Throws: ``StoryFailure`` when it was not so, and when one of them did not happen at all.
    public func expect(
        _ first: Moment,
        before second: Moment,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws {
        let entries = entries
        func index(_ moment: Moment, _ isIt: (Entry) -> Bool) throws -> Int {
            if let index = entries.firstIndex(where: isIt) { return index }
            let message =
                "the \(first) was to come before the \(second), but the \(moment) did not come at all"
            throw StoryFailure(message, in: self, at: fileID, line)
        }
        let end = try index(first, first.isOver)
        let begin = try index(second, second.begins)
        guard end >= begin else { return }
        let message =
            end == begin
            ? "the \(first) was to come before the \(second), but both came at once"
            : "the \(first) was to come before the \(second), but was over only after that had begun"
        throw StoryFailure(message, in: self, marking: [begin, end], at: fileID, line)
    }

    /// Expects that something began after something else was over.
    ///
    /// Of what happened more than once the first time counts.
    ///
    /// - Parameters:
    ///   - second: What is to have come afterwards.
    ///   - first: What is to have come first.
    ///   - fileID: The file that a failure names.
    ///   - line: The line that a failure names.
    /// - Throws: ``StoryFailure`` when it was not so, and when one of them did not happen at all.
    public func expect(
        _ second: Moment,
        after first: Moment,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws {
        try expect(first, before: second, fileID: fileID, line: line)
    }

    /// Expects how often something has happened so far.
    ///
    /// - Parameters:
    ///   - moment: What is counted: its end, where it takes its time.
    ///   - times: How often; 0 for never.
    ///   - fileID: The file that a failure names.
    ///   - line: The line that a failure names.
    /// - Throws: ``StoryFailure`` when it was more or fewer times.
    public func expect(
        _ moment: Moment,
        times: Int,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws {
        let entries = entries
        let found = entries.indices.filter { moment.isOver(entries[$0]) }
        guard found.count != times else { return }
        let message = "the \(moment) was to come \(Self.times(times)), and came \(Self.times(found.count))"
        throw StoryFailure(message, in: self, marking: found, at: fileID, line)
    }

    /// Expects in which order children were told to stop, all of them, one only when the one before had ended.
    ///
    /// ```swift
    /// try trial.story.expect(stopOrder: "draining", "drainer", "drained", "ready", "http")
    /// ```
    ///
    /// Only the children of the supervisors count that the expected ones stand in: name those at the top, and
    /// what is nested in them may stop as it likes. Ends by themselves are no stops.
    ///
    /// - Parameters:
    ///   - children: The children, the one that stops first first.
    ///   - fileID: The file that a failure names.
    ///   - line: The line that a failure names.
    /// - Throws: ``StoryFailure`` when it was another order, more or fewer of them, or two at a time.
    public func expect(
        stopOrder children: ChildPath...,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws {
        try expect("stop", order: children, at: fileID, line) { event in
            switch event.kind {
            case .childStopping: .begin
            case .childStopped, .childAbandoned: .end
            default: nil
            }
        }
    }

    /// Expects in which order children were started, all of them, one only when the one before had started.
    ///
    /// Restarts are starts too. Otherwise as ``expect(stopOrder:fileID:line:)``.
    ///
    /// - Parameters:
    ///   - children: The children, the one that starts first first.
    ///   - fileID: The file that a failure names.
    ///   - line: The line that a failure names.
    /// - Throws: ``StoryFailure`` when it was another order, more or fewer of them, or two at a time.
    public func expect(
        startOrder children: ChildPath...,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws {
        try expect("start", order: children, at: fileID, line) { event in
            switch event.kind {
            case .childStarting: .begin
            case .childStarted, .childIgnored, .childEnded, .childStopped, .childAbandoned: .end
            default: nil
            }
        }
    }

    /// Expects what the manager was told as statuses (`STATUS`), all of them, in order.
    ///
    /// - Parameters:
    ///   - statuses: The texts.
    ///   - fileID: The file that a failure names.
    ///   - line: The line that a failure names.
    /// - Throws: ``StoryFailure`` when it was told others, more or fewer of them, or in another order.
    public func expect(
        statuses: [String],
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws {
        let told = self.statuses
        guard told != statuses else { return }
        let message = "the statuses were to be \(Self.list(statuses)), and were \(Self.list(told))"
        throw StoryFailure(message, in: self, at: fileID, line)
    }

    /// Expects what the manager was told, all of it, each line by itself, in order.
    ///
    /// ```swift
    /// try trial.story.expect(notifications: ["READY=1", "STOPPING=1", "STATUS=drained"])
    /// ```
    ///
    /// What depends on time does not count: signs of life (`WATCHDOG=1`), requests for more time
    /// (`EXTEND_TIMEOUT_USEC`) and time stamps (`MONOTONIC_USEC`). They are in ``notifications``.
    ///
    /// - Parameters:
    ///   - lines: The lines, such as `READY=1`.
    ///   - fileID: The file that a failure names.
    ///   - line: The line that a failure names.
    /// - Throws: ``StoryFailure`` when it was told something else, more or less of it, or in another order.
    public func expect(
        notifications lines: [String],
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws {
        let told = notifications.filter { line in
            line != "WATCHDOG=1" && !line.hasPrefix("EXTEND_TIMEOUT_USEC=")
                && !line.hasPrefix("MONOTONIC_USEC=")
        }
        guard told != lines else { return }
        let message = "the notifications were to be \(Self.list(lines)), and were \(Self.list(told))"
        throw StoryFailure(message, in: self, at: fileID, line)
    }

    private enum Edge {
        case begin, end
    }

    private func expect(
        _ what: String,
        order children: [ChildPath],
        at fileID: StaticString,
        _ line: UInt,
        edge: (SupervisorEvent) -> Edge?
    ) throws {
        let supervisors = Set(children.map { ChildPath($0.ids.dropLast()) })
        var found: [(child: ChildPath, index: Int)] = []
        var open: (child: ChildPath, index: Int)?
        for (index, entry) in entries.enumerated() {
            guard case .event(let event) = entry, supervisors.contains(event.supervisor),
                let child = event.child, let edge = edge(event)
            else { continue }
            switch edge {
            case .begin:
                if let open {
                    let message = "the \(what) of \(child) began before that of \(open.child) was over"
                    throw StoryFailure(message, in: self, marking: [open.index, index], at: fileID, line)
                }
                open = (child, index)
                found.append((child, index))
            case .end:
                if open?.child == child { open = nil }
            }
        }
        guard found.map(\.child) != children else { return }
        let message =
            "the order of the \(what)s was to be \(Self.list(children)), and was \(Self.list(found.map(\.child)))"
        throw StoryFailure(message, in: self, marking: found.map(\.index), at: fileID, line)
    }

    private static func list(_ elements: [some CustomStringConvertible]) -> String {
        elements.isEmpty ? "none" : elements.map(\.description).joined(separator: ", ")
    }

    private static func times(_ count: Int) -> String {
        switch count {
        case 0: "never"
        case 1: "once"
        default: "\(count) times"
        }
    }
}
