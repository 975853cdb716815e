/// What decides for a supervisor: events go in, what is to be done comes out, in order.
///
/// There is no task, clock, continuation or log behind it, so that every rule can be tested as a value.
/// Children are numbers, and each start of one is a generation, so that news of an earlier copy is known for
/// what it is and ignored. Time is the duration since some fixed moment of the caller's choice.
protocol Decider: SendableMetatype {
    /// When ``Input/time`` is to be put in at the latest, if nothing else happens before.
    var deadline: Duration? { get }

    /// What is to be done, in order; whoever does it takes it out.
    ///
    /// One buffer for the machine's life, because a list for each answer costs more than the decision.
    var actions: Queue<Action> { get set }

    /// Whether anybody hears of each step that a child takes.
    ///
    /// Where nobody does, what is for them alone is not reported.
    var hasAudience: Bool { get set }

    /// Decides what follows from what happened.
    mutating func handle(_ input: Input, at now: Duration)

    /// Every child has been told to stop, as was asked with ``Action/askAll`` or ``Action/cancelAll``.
    mutating func allTold(at now: Duration)

    /// Whoever made that call no longer waits for it: it need not be served, if it has not been begun.
    mutating func withdraw(_ number: Int)

    /// The children that were told to stop and have not, in their order.
    var abandoned: [ChildRef] { get }

    /// Where the first children stand, at most that many.
    func standings(limit: Int) -> [(slot: Int, standing: Standing)]

    /// Whether the supervisor was made with that child, rather than given it later.
    func isDeclared(_ slot: Int) -> Bool

    /// What the supervisor as a whole is doing.
    var condition: Condition { get }

    /// The child that everything else waits for.
    var focus: Focus? { get }
}

extension Decider {
    /// Has something made known.
    ///
    /// - Parameters:
    ///   - decision: What.
    ///   - isNeeded: Whether the run has to take note of it, where it is mostly for readers alone.
    mutating func report(_ decision: Decision, isNeeded: Bool = false) {
        guard hasAudience || isNeeded || !decision.isForReaders else { return }
        actions.push(.report(decision))
    }

    /// Has a call answered.
    mutating func reply(_ call: Int, _ reply: Reply) {
        actions.push(.reply(call: call, reply))
    }
}

/// What has happened.
enum Input {
    /// The supervisor runs: the children are to be started, unless a stop came first.
    case start
    /// The child has said that it has started.
    case childStarted(ChildRef)
    /// The child's body has ended; where it threw, `response` is what its rules say about the error.
    case childEnded(ChildRef, Exit, response: FailureResponse)
    /// The supervisor is to stop. Honoured in every phase, before the start included.
    case stop
    /// Time has passed; perhaps until ``Decider/deadline``.
    case time
    /// Somebody asks for something. Each call is answered once, now or later.
    case call(number: Int, Call)
}

/// One copy of a child: a place in the list, and a number that rises with each start.
struct ChildRef: Hashable {
    var slot: Int
    var generation: Int
}

/// How a child's body ended.
enum Exit: Equatable {
    case returned
    case threw
    /// It threw a `CancellationError`. When nobody asked for that, it is a failure like any other.
    case cancelled
    /// It ended, but something below it still runs: another copy must not be started beside that.
    case leftRunning
}

/// Why a supervisor stops.
enum StopReason: Equatable {
    case requested
    case startFailed(ChildRef)
    case gaveUp(ChildRef, GiveUpCause)
    case leftRunning(ChildRef)
    /// Its significant children have ended; this one was the last.
    case autoShutdown(ChildRef)
}

/// Why a child is not started again although it failed.
enum GiveUpCause: Equatable {
    /// More restarts than the supervisor allows.
    case intensity
    /// More restarts than the child itself is allowed.
    case limit
    /// The child's ``FailureResponse`` to this error.
    case response
}

/// What was decided or found out, one value for each.
enum Decision: Equatable {
    case starting
    case started
    case childStarting(ChildRef)
    case childStarted(ChildRef)
    case childIgnored(ChildRef)
    case childEnded(ChildRef, Exit)
    case childRestarting(ChildRef, after: Duration)
    /// The child is not started again, and the others go on.
    case childGivenUp(ChildRef, GiveUpCause)
    /// A strategy stopped a temporary child, which is not started again.
    case childDropped(ChildRef)
    case childDeleted(slot: Int)
    case stopping(StopReason)
    case childStopping(ChildRef)
    case childOverdue(ChildRef, after: Duration)
    case childStopped(ChildRef, Exit)
    case childAbandoned(ChildRef, after: Duration)
    case stopped

    /// Whether it is of use to readers of events alone; of the others the run takes note itself.
    var isForReaders: Bool {
        switch self {
        case .starting, .started, .stopping, .stopped: false
        case .childStarting, .childStarted, .childIgnored, .childEnded, .childRestarting, .childGivenUp,
            .childDropped, .childDeleted, .childStopping, .childOverdue, .childStopped, .childAbandoned:
            true
        }
    }
}

/// What is asked of a running supervisor.
enum Call: Equatable {
    /// To have a child more, and to start it. Where children have ids, no two of one id.
    case start(id: String, ChildRules)
    /// To stop a child.
    case terminate(Target)
    /// To start a child that is not running.
    case restart(Target)
    /// To forget a child that is not running.
    case delete(Target)
    /// Where a child stands.
    case find(Target)
    /// To be answered when it is its turn.
    case read

    /// A child, by what the caller knows of it.
    enum Target: Equatable {
        case id(String)
        case slot(Int)
    }
}

/// What became of a call.
enum Reply: Equatable {
    case done
    case started(ChildRef)
    /// The child had nothing to run.
    case ignored
    case found(slot: Int, Standing)
    case refused(Refusal)
}

/// Why a call was not done.
enum Refusal: Equatable {
    /// A child of that id is there and runs.
    case alreadyStarted
    /// A child of that id is there and does not run.
    case alreadyPresent
    /// There is no such child.
    case notFound
    /// The child runs.
    case running
    /// The child is being started again, or waits for that.
    case restarting
    /// The child ended before it had started.
    case startFailed(ChildRef)
    /// The child was told to stop and has not.
    case abandoned(ChildRef)
    /// There are as many children as there may be.
    case tooManyChildren
    /// The supervisor stops, or has ended.
    case notRunning
}

/// What is to be done.
///
/// Numbers alone, which are copied and moved without a thought for what they hold: each start takes several.
enum Action: Equatable, BitwiseCopyable {
    /// The child that this call brought stands at this slot from now on.
    case adopt(call: Int, slot: Int)
    /// Start this copy. Its start or its end is reported back.
    case start(ChildRef)
    /// Tell this copy that it is to stop; one that has not started is cancelled, too.
    ///
    /// Whether it has is known only where it runs: the news of that may be on its way.
    case ask(ChildRef)
    /// Tell this copy that it is to stop, and cancel it.
    case cancel(ChildRef)
    /// The child, which has ended for good, is going to be started all the same.
    case expect(slot: Int)
    /// Tell every child that it is to stop; those that have not started are cancelled, too.
    case askAll
    /// Tell every child that it is to stop, and cancel it.
    case cancelAll
    /// The child will not be started again, unless somebody asks for it.
    case retire(slot: Int)
    /// The child is no longer part of the tree.
    case forget(slot: Int)
    /// Make this known.
    case report(Decision)
    /// Answer this call.
    case reply(call: Int, Reply)
    /// Nothing runs any more but the children that were abandoned, see ``Decider/abandoned``.
    case finish(StopReason)
}

/// Where one child stands.
struct Standing: Equatable {
    var state: ChildState
    /// When it came to that.
    var since: Duration
    var generation: Int
    /// When it is started again, where it waits for that.
    var until: Duration?
}

/// What a child is doing.
enum ChildState: Int, CaseIterable {
    /// Not started yet.
    case unstarted
    case starting
    case running
    /// To be started again at some moment.
    case waiting
    case stopping
    /// Stopped along with others.
    case stopped
    /// Stopped because somebody asked for it; not started before somebody asks for that.
    case terminated
    /// Ended by itself, and not to be started again.
    case done
    /// Failed, and not to be started again.
    case givenUp
    /// Told to stop, and still running.
    case abandoned

    /// Whether it has a copy that is to run on.
    var isUp: Bool { self == .starting || self == .running }

    /// Whether it neither runs nor waits to be started again.
    var isDown: Bool {
        switch self {
        case .unstarted, .stopped, .terminated, .done, .givenUp: true
        case .starting, .running, .waiting, .stopping, .abandoned: false
        }
    }
}

/// What a supervisor as a whole is doing.
enum Condition: Equatable {
    case idle
    case starting
    case running
    case restarting
    case stopping
    case ended
}

/// A child that must do something before the supervisor can go on.
enum Focus: Equatable {
    case start(slot: Int)
    case stop(slot: Int, deadline: Duration?)
}
