/// Why a supervisor could not run, or ended other than by being asked to.
public struct SupervisorError: Error, Sendable {
    /// What went wrong.
    public var code: Code

    /// The child where it went wrong: the deepest one known, where supervisors are nested.
    public var path: ChildPath

    /// What the child threw, where it threw something.
    public var underlying: (any Error)?

    /// Children that still ran when their time was up.
    ///
    /// They run on until the process ends.
    public var abandoned: [ChildPath]

    /// What is to be mended, for the people who read it.
    public var details: [String]

    /// Whether it answers somebody who has had a child terminated: what was abandoned then is another's child, should
    /// a body let the error through.
    private var isAnswer = false

    /// What still runs below the child that threw it: another copy must not be started beside that.
    var childrenLeft: [ChildPath] { isAnswer ? [] : abandoned }

    /// The error as the answer to who has asked for it.
    var asAnswer: SupervisorError {
        var answer = self
        answer.isAnswer = true
        return answer
    }

    /// What can go wrong.
    ///
    /// More may be added.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The name of the code.
        public var description: String

        /// The tree was not started: something is wrong with a spec.
        ///
        /// ``SupervisorError/details`` has it all.
        public static let invalidTree = Code(description: "invalidTree")

        /// The supervisor runs already.
        public static let alreadyRunning = Code(description: "alreadyRunning")

        /// A child did not start.
        ///
        /// Those before it were stopped again, in reverse order.
        public static let childFailedToStart = Code(description: "childFailedToStart")

        /// A child failed once more than the ``RestartIntensity`` allows, or in a way that ends its supervisor:
        /// by its ``FailureResponse``, or as a significant child that was given up.
        ///
        /// All children were stopped.
        public static let gaveUp = Code(description: "gaveUp")

        /// All children were told to stop, and ``SupervisorError/abandoned`` tells which did not.
        public static let childrenAbandoned = Code(description: "childrenAbandoned")

        /// The supervisor does not run, or ended before it came to what was asked of it.
        public static let notRunning = Code(description: "notRunning")

        /// There is a child of that id, and it runs, or is being started again.
        public static let alreadyStarted = Code(description: "alreadyStarted")

        /// There is a child of that id, and it does not run.
        public static let alreadyPresent = Code(description: "alreadyPresent")

        /// There is no such child.
        public static let childNotFound = Code(description: "childNotFound")

        /// The child runs.
        public static let childRunning = Code(description: "childRunning")

        /// The child is being started again, or waits for that.
        public static let childRestarting = Code(description: "childRestarting")

        /// The supervisor has as many children as it may have.
        public static let tooManyChildren = Code(description: "tooManyChildren")

        /// The child has ended and is not started again.
        public static let childGone = Code(description: "childGone")
    }

    init(
        _ code: Code,
        path: ChildPath = [],
        underlying: (any Error)? = nil,
        abandoned: [ChildPath] = [],
        details: [String] = []
    ) {
        self.code = code
        self.path = path
        self.underlying = underlying
        self.abandoned = abandoned
        self.details = details
    }
}

extension SupervisorError: CustomStringConvertible {
    /// One line: which child, what happened to it, and what it threw.
    public var description: String {
        var parts: [String]
        switch code {
        case .invalidTree:
            parts = ["nothing was started, the tree is not valid"]
        case .alreadyRunning:
            parts = ["\(place) runs already"]
        case .childFailedToStart:
            parts = ["child \"\(path)\" failed to start"]
        case .gaveUp:
            parts = ["gave up on child \"\(path)\""]
        case .childrenAbandoned:
            parts = []
        case .notRunning:
            parts = ["\(place) does not run"]
        case .alreadyStarted:
            parts = ["there is a child \"\(path)\" already, and it runs"]
        case .alreadyPresent:
            parts = ["there is a child \"\(path)\" already; it does not run: restart or delete it"]
        case .childNotFound:
            parts = ["there is no child \"\(path)\""]
        case .childRunning:
            parts = ["child \"\(path)\" runs: terminate it first"]
        case .childRestarting:
            parts = ["child \"\(path)\" is being restarted: terminate it first, or wait"]
        case .tooManyChildren:
            parts = ["\(place) has as many children as it may have"]
        case .childGone:
            parts = ["child \"\(path)\" has ended and is not started again"]
        default:
            parts = [code.description]
        }
        parts += details
        if let underlying { parts.append("\(underlying)") }
        if !abandoned.isEmpty {
            // Of a million it is enough to read the first.
            var names = abandoned.prefix(10).map { "\"\($0)\"" }
            if abandoned.count > names.count { names.append("and \(abandoned.count - names.count) more") }
            parts.append("still running after its time was up: \(names.joined(separator: ", "))")
        }
        return parts.joined(separator: ": ")
    }

    private var place: String {
        path.ids.isEmpty ? "the supervisor" : "supervisor \"\(path)\""
    }
}
