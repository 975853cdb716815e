public import Supervision

/// Everything that happened in a tree and was told to its service manager, in order.
///
/// A ``DaemonTrial`` and a ``SupervisorTrial`` have one. Wait for what is to come, and expect what is to have been:
///
/// ```swift
/// try await trial.story.wait(for: .start(of: "http"))
/// await trial.stop()
/// try trial.story.expect(.stop(of: "drainer"), before: .stop(of: "http"))
/// try trial.story.expect(statuses: ["draining", "drained"])
/// ```
///
/// An expectation that does not hold throws a ``StoryFailure``, which fails a test of any framework and tells the
/// whole story. An event is entered in the moment it happens, before the supervisor acts on it, and after everything
/// that the manager had been sent by then.
public final class Story: Sendable {
    /// One thing that happened.
    public enum Entry: Sendable, CustomStringConvertible {
        /// A supervisor of the tree found out or decided something.
        case event(SupervisorEvent)
        /// The service manager was told something.
        case notification(ReceivedNotification)
        /// The daemon got a signal.
        case signal(Signal)
        /// A second signal would have ended the process here.
        case cutShort(Signal)

        /// The entry as one line: the event's words, or what was told to whom.
        public var description: String {
            switch self {
            case .event(let event): event.description
            case .notification(let message): "told \(message)"
            case .signal(let signal): "\(signal)"
            case .cutShort(let signal): "cut short by \(signal)"
            }
        }
    }

    let recorder = Recorder<Entry>()
    private let takeNotifications: @Sendable () -> Void

    /// Begins the story of a supervisor that is run by other means than a trial.
    ///
    /// Call ``end()`` when the run has ended: a wait for what did not come goes on until then.
    ///
    /// - Parameter supervisor: The supervisor, before its run; those nested in it are part of its story.
    public convenience init(of supervisor: Supervisor) {
        self.init()
        read(supervisor)
    }

    /// Begins an empty story.
    ///
    /// - Parameter takeNotifications: Has everything entered that the manager was sent before.
    init(takeNotifications: @escaping @Sendable () -> Void = {}) {
        self.takeNotifications = takeNotifications
    }

    /// What has happened so far.
    public var entries: [Entry] {
        takeNotifications()
        return recorder.all
    }

    /// What has happened so far, in words.
    public var lines: [String] { entries.map(\.description) }

    /// What has happened since something began for the first time, that included, in words.
    ///
    /// - Parameter moment: Where to begin.
    /// - Returns: The lines; none where it has not begun.
    public func lines(from moment: Moment) -> [String] {
        entries.drop { !moment.begins($0) }.map(\.description)
    }

    /// What the supervisors did so far.
    public var events: [SupervisorEvent] {
        entries.compactMap { if case .event(let event) = $0 { event } else { nil } }
    }

    /// What the manager was told so far, each line by itself.
    public var notifications: [String] {
        entries.flatMap { entry -> [String] in
            if case .notification(let message) = entry { message.lines } else { [] }
        }
    }

    /// The statuses that the manager was told so far.
    public var statuses: [String] {
        entries.compactMap { if case .notification(let message) = $0 { message["STATUS"] } else { nil } }
    }

    /// Waits until something has happened, as often as that, from the beginning on.
    ///
    /// - Parameters:
    ///   - moment: What is waited for: its end, where it takes its time.
    ///   - count: How often; once by default.
    ///   - fileID: The file that a failure names.
    ///   - line: The line that a failure names.
    /// - Throws: ``StoryFailure`` as soon as the run has ended without it, and when the task is cancelled, as a time
    ///   limit does it.
    public func wait(
        for moment: Moment,
        count: Int = 1,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) async throws {
        guard await !recorder.wait(count: count, until: moment.isOver) else { return }
        throw failure("the \(moment) did not come", count, fileID, line)
    }

    /// Waits until something begins that takes its time: a start, or a stop.
    ///
    /// The time that a child has for it counts from here: now the clock can be moved.
    ///
    /// - Parameters:
    ///   - moment: What is waited for.
    ///   - count: How often it is to have begun, from the beginning on; once by default.
    ///   - fileID: The file that a failure names.
    ///   - line: The line that a failure names.
    /// - Throws: ``StoryFailure`` as ``wait(for:count:fileID:line:)``.
    public func wait(
        forBeginOf moment: Moment,
        count: Int = 1,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) async throws {
        guard await !recorder.wait(count: count, until: moment.begins) else { return }
        throw failure("the \(moment) did not begin", count, fileID, line)
    }

    private func failure(_ what: String, _ count: Int, _ fileID: StaticString, _ line: UInt) -> StoryFailure {
        StoryFailure(count == 1 ? what : "\(what) for the \(count). time", in: self, at: fileID, line)
    }

    /// Has the events of a supervisor entered.
    func read(_ supervisor: Supervisor) {
        supervisor.readEvents { [weak self] event in
            guard let self else { return }
            // What the manager was sent before this came before it.
            takeNotifications()
            recorder.add(.event(event))
        }
    }

    /// Ends it: who waits for more hears that it does not come.
    ///
    /// A trial does that itself, at the end of its run.
    public func end() {
        takeNotifications()
        recorder.close()
    }
}

extension Story: CustomStringConvertible {
    /// The whole story, a line for each entry.
    public var description: String { lines.joined(separator: "\n") }
}
