public import Supervision
import Systemd

/// Something that can happen in a ``Story``, to be waited for or put in order.
///
/// ```swift
/// try await trial.story.wait(for: .start(of: "http"))
/// try trial.story.expect(.ready, after: .start(of: "http"))
/// ```
///
/// A start and a stop take their time: they are there when they are over, and come *before* something else when they
/// are over before that begins.
///
/// A text is one too, for what has no name here: an entry's description, word for word, such as `"http dropped, a
/// temporary child does not come back"`.
public struct Moment: Sendable, CustomStringConvertible {
    /// What it is, in words that follow a "the": `stop of http`.
    public let description: String

    let begins: @Sendable (Story.Entry) -> Bool
    let isOver: @Sendable (Story.Entry) -> Bool

    private init(
        _ description: String,
        begins: (@Sendable (Story.Entry) -> Bool)? = nil,
        isOver: @escaping @Sendable (Story.Entry) -> Bool
    ) {
        self.description = description
        self.begins = begins ?? isOver
        self.isOver = isOver
    }

    private static func event(
        _ description: String,
        of child: ChildPath,
        begins: (@Sendable (SupervisorEvent.Kind) -> Bool)? = nil,
        isOver: @escaping @Sendable (SupervisorEvent.Kind) -> Bool
    ) -> Moment {
        @Sendable func kind(_ entry: Story.Entry) -> SupervisorEvent.Kind? {
            guard case .event(let event) = entry, event.child == child else { return nil }
            return event.kind
        }
        return Moment(
            "\(description) of \(child)",
            begins: { entry in kind(entry).map(begins ?? isOver) ?? false },
            isOver: { entry in kind(entry).map(isOver) ?? false }
        )
    }
}

extension Moment {
    /// A child starts: from when its body is run until it has started, or has done its work (OTP's `ignore`).
    public static func start(of child: ChildPath) -> Moment {
        event("start", of: child) {
            if case .childStarting = $0 { true } else { false }
        } isOver: {
            switch $0 {
            case .childStarted, .childIgnored: true
            default: false
            }
        }
    }

    /// A child is stopped: from when it is told to until it has ended, or is abandoned.
    public static func stop(of child: ChildPath) -> Moment {
        event("stop", of: child) {
            if case .childStopping = $0 { true } else { false }
        } isOver: {
            switch $0 {
            case .childStopped, .childAbandoned: true
            default: false
            }
        }
    }

    /// A child ends without having been told to, whether it returned or threw.
    public static func end(of child: ChildPath) -> Moment {
        event("end", of: child) { if case .childEnded = $0 { true } else { false } }
    }

    /// A child ends by throwing, without having been told to stop.
    public static func failure(of child: ChildPath) -> Moment {
        event("failure", of: child) { if case .childEnded(_, .threw) = $0 { true } else { false } }
    }

    /// A child that failed is to be started again, at once or after a delay.
    ///
    /// Those that the strategy restarts along with it are stopped and started, and have no restart of their own.
    public static func restart(of child: ChildPath) -> Moment {
        event("restart", of: child) { if case .childRestarting = $0 { true } else { false } }
    }

    /// A child that was asked to stop has used up its time, and is cancelled.
    public static func cancellation(of child: ChildPath) -> Moment {
        event("cancellation", of: child) { if case .childOverdue = $0 { true } else { false } }
    }

    /// A child still runs although its time is up, and is left behind.
    public static func abandonment(of child: ChildPath) -> Moment {
        event("abandonment", of: child) { if case .childAbandoned = $0 { true } else { false } }
    }

    /// A child is not started again although it failed.
    public static func givingUp(of child: ChildPath) -> Moment {
        event("giving up", of: child) { if case .childGivenUp = $0 { true } else { false } }
    }

    /// Every child of the tree has been started.
    public static let allStarted = Moment("start of the whole tree") { entry in
        guard case .event(let event) = entry, event.supervisor.ids.isEmpty else { return false }
        if case .started = event.kind { return true } else { return false }
    }

    /// The manager is told that the service is ready (`READY=1`).
    public static let ready = notification("READY=1")

    /// The manager is told that the service stops (`STOPPING=1`).
    public static let stopping = notification("STOPPING=1")

    /// The manager is told that the service reloads (`RELOADING=1`).
    public static let reloading = notification("RELOADING=1")

    /// The manager gets a sign of life (`WATCHDOG=1`).
    public static let ping = notification("WATCHDOG=1")

    /// The manager is told a status (`STATUS`).
    public static func status(_ text: String) -> Moment {
        notification("STATUS=\(text)")
    }

    /// The manager is told a line, such as `EXTEND_TIMEOUT_USEC=10000000`.
    public static func notification(_ line: String) -> Moment {
        Moment("notification \(line)") { entry in
            guard case .notification(let message) = entry else { return false }
            return message.lines.contains(line)
        }
    }

    /// The daemon gets a signal.
    public static func signal(_ signal: Signal) -> Moment {
        Moment("signal \(signal)") { entry in
            guard case .signal(let received) = entry else { return false }
            return received == signal
        }
    }

    /// A second signal ends the process in the middle of its stop.
    public static let cutShort = Moment("end that a second signal brings") { entry in
        if case .cutShort = entry { true } else { false }
    }
}

extension Moment: ExpressibleByStringInterpolation {
    /// What an entry says, word for word; a text literal is the same.
    public static func line(_ text: String) -> Moment {
        Moment("line \"\(text)\"") { $0.description == text }
    }

    /// What an entry says, word for word.
    public init(stringLiteral text: String) {
        self = .line(text)
    }
}
