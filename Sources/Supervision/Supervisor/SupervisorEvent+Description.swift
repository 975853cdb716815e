extension SupervisorEvent: CustomStringConvertible {
    /// The event as one line, as in `web/http restarting, 2 times so far`.
    public var description: String {
        let place = supervisor.ids.isEmpty ? "supervisor" : "supervisor \(supervisor)"
        let subject = child.map { "\($0)" } ?? place
        return switch kind {
        case .starting: "\(subject) starting"
        case .started: "\(subject) started"
        case .childStarting: "\(subject) starting"
        case .childStarted: "\(subject) started"
        case .childIgnored: "\(subject) done, nothing to run"
        case .childEnded(_, .returned): "\(subject) returned"
        case .childEnded(_, .threw(let error)): "\(subject) failed: \(error)"
        case .childRestarting(_, let restarts, let delay):
            "\(subject) restarting\(delay > .zero ? " in \(delay)" : ""), "
                + "\(restarts) \(restarts == 1 ? "time" : "times") so far"
        case .childGivenUp(_, let error?): "\(subject) given up, not started again: \(error)"
        case .childGivenUp: "\(subject) given up, not started again"
        case .childDropped: "\(subject) dropped, a temporary child does not come back"
        case .childDeleted: "\(subject) deleted"
        case .stopping(let reason): "\(place) stopping: \(reason)"
        case .childStopping: "\(subject) stopping"
        case .childOverdue(_, let time): "\(subject) cancelled, has not stopped in \(time)"
        case .childStopped(_, .threw(let error)) where !(error is CancellationError):
            "\(subject) stopped, but threw: \(error)"
        case .childStopped: "\(subject) stopped"
        case .childAbandoned(_, let time): "\(subject) abandoned, still running after \(time)"
        case .stopped: "\(subject) stopped"
        }
    }
}

extension SupervisorEvent.StopReason: CustomStringConvertible {
    /// The reason as a phrase, as in `gave up on http, more than 3 restarts within 5.0 seconds: …`.
    public var description: String {
        let (text, error): (String, (any Error)?) =
            switch self {
            case .requested:
                ("requested", nil)
            case .startFailed(let child, let error):
                ("\(child) failed to start", error)
            case .gaveUp(let child, let intensity, let error):
                ("gave up on \(child)\(intensity.map { ", more than \($0)" } ?? "")", error)
            case .leftRunning(let child, let error?):
                ("\(child) has left something running", error)
            case .leftRunning(let child, nil):
                ("\(child) still runs and cannot be started again", nil)
            case .autoShutdown(let child):
                ("\(child) has ended, and it is significant", nil)
            }
        return error.map { "\(text): \($0)" } ?? text
    }
}
