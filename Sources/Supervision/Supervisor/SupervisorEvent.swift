/// One thing that a supervisor found out or decided.
///
/// Everything a supervisor does is told as a sequence of these, in order: logs, status lines, metrics and the
/// assertions of a test are readers of it. Read them with ``Supervisor/events(bufferingPolicy:)``.
public struct SupervisorEvent: Sendable {
    /// When it happened, counted on the tree's clock from the moment the tree was started.
    public var time: Duration

    /// The supervisor that reports it.
    public var supervisor: ChildPath

    /// What happened.
    public var kind: Kind

    /// How long what begins here may take at most by the rules of the child, until its supervisor goes on without
    /// it; nil where there is no limit, and for events that are no beginning.
    ///
    /// On the supervisor's clock. Told for ``Kind/childStarting(child:)``, where the child has a start timeout, and for
    /// ``Kind/childStopping(child:)``. The time to react to a cancellation is part of it.
    public var limit: Duration?

    /// The child that the event is about, where it is about one.
    public var child: ChildPath? {
        kind.child.map(supervisor.appending)
    }

    /// What can happen in a supervisor.
    ///
    /// A child is named by its id.
    public enum Kind: Sendable {
        /// The supervisor begins to start its children.
        case starting

        /// Every child has been started.
        case started

        /// A child's body is being run.
        case childStarting(child: String)

        /// A child has started.
        case childStarted(child: String)

        /// A child did its work during the start and has nothing to run.
        case childIgnored(child: String)

        /// A child ended without having been told to.
        case childEnded(child: String, exit: ChildExit)

        /// A child is started again, at once or after a delay, on its supervisor's clock; `restarts` is how often that
        /// has happened to it.
        case childRestarting(child: String, restarts: Int, after: Duration)

        /// A child is not started again although it failed: it has used up its limit, or its error is one that
        /// is not to be tried again. The others go on.
        case childGivenUp(child: String, error: (any Error)?)

        /// A temporary child was stopped by the strategy of its supervisor, and does not come back.
        case childDropped(child: String)

        /// A child that was not running has been taken out of the supervisor's list.
        case childDeleted(child: String)

        /// The supervisor begins to stop its children, the last one first.
        case stopping(StopReason)

        /// A child is told to stop.
        case childStopping(child: String)

        /// A child that was asked to stop has used up its time, on its supervisor's clock, and is cancelled now.
        case childOverdue(child: String, after: Duration)

        /// A child that was told to stop has ended. An error that is not a cancellation is worth a look.
        case childStopped(child: String, exit: ChildExit)

        /// A child still runs although its time is up; the supervisor goes on without it. The time is since it was told
        /// to stop, on its supervisor's clock.
        case childAbandoned(child: String, after: Duration)

        /// The supervisor has ended.
        case stopped
    }

    /// Why a supervisor stops.
    public enum StopReason: Sendable {
        /// It was asked to: by ``Supervisor/stop()``, by its parent, or by the cancellation of its task.
        case requested

        /// A child could not be started.
        case startFailed(child: String, error: (any Error)?)

        /// A child failed once more than the ``RestartIntensity`` allows; or, where there is no intensity here, in
        /// a way that its ``FailureResponse`` does not put up with, or as a significant child that was given up.
        /// The error is the last one, where the child threw.
        case gaveUp(child: String, intensity: RestartIntensity?, error: (any Error)?)

        /// A child cannot be started again: it was stopped for a restart and still runs, or it is a supervisor
        /// that ended while something below it still runs; then there is an error, which tells what.
        case leftRunning(child: String, error: (any Error)?)

        /// A significant child has ended, and the supervisor's ``AutoShutdown`` makes that its own end.
        case autoShutdown(child: String)
    }
}

extension SupervisorEvent.Kind {
    /// The id of the child that this is about.
    var child: String? {
        switch self {
        case .starting, .started, .stopped, .stopping(.requested):
            nil
        case .childStarting(let child), .childStarted(let child), .childIgnored(let child),
            .childEnded(let child, _), .childRestarting(let child, _, _), .childGivenUp(let child, _),
            .childDropped(let child), .childDeleted(let child), .childStopping(let child),
            .childOverdue(let child, _), .childStopped(let child, _), .childAbandoned(let child, _):
            child
        case .stopping(.startFailed(let child, _)), .stopping(.gaveUp(let child, _, _)),
            .stopping(.leftRunning(let child, _)), .stopping(.autoShutdown(let child)):
            child
        }
    }
}
