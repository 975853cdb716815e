import Supervision

/// Which children are being stopped, and until when something must come of it: what the events of a stop tell.
struct StopsUnderWay {
    /// The children of one supervisor that are being stopped.
    private struct Stops {
        var ids: Set<String> = []
        /// When the one that was told last will have been given up; nil where it has no limit.
        var deadline: Duration?

        mutating func add(_ id: String, until deadline: Duration?) {
            ids.insert(id)
            self.deadline = deadline
        }
    }

    /// The longest that a child of the tree may take; nil where one may take as long as it likes.
    private let longest: Duration?
    private var stops: [ChildPath: Stops] = [:]
    /// When the last sign of the tree came, or else the request to stop.
    private var lastSign: Duration

    /// Begins when the tree is asked to stop.
    ///
    /// - Parameters:
    ///   - now: When that is.
    ///   - longest: The longest that a child of the tree may take; nil where one may take as long as it likes.
    init(at now: Duration, longest: Duration?) {
        lastSign = now
        self.longest = longest
    }

    /// When a supervisor must have acted, on the clock of the tree; nil where nothing limits it.
    ///
    /// Where nobody is known to be in the way, that one may be who may take longest: then he has all his time,
    /// since the last sign.
    var deadline: Duration? {
        stops.values.compactMap(\.deadline).min() ?? longest.map { lastSign + $0 }
    }

    /// The children that are being stopped, without the supervisors that only wait for one of them.
    var children: [ChildPath] {
        stops.flatMap { supervisor, stops in stops.ids.sorted().map(supervisor.appending) }
            .filter { stops[$0] == nil }
            .sorted { $0.ids.lexicographicallyPrecedes($1.ids) }
    }

    /// Whether a child is being stopped.
    func contains(_ child: ChildPath) -> Bool {
        guard let id = child.ids.last else { return false }
        return stops[ChildPath(Array(child.ids.dropLast()))]?.ids.contains(id) == true
    }

    /// Takes note of what a supervisor of the tree does.
    mutating func read(_ event: SupervisorEvent, at now: Duration) {
        lastSign = now
        switch event.kind {
        case .childStopping(let id):
            stops[event.supervisor, default: Stops()].add(id, until: event.limit.map { now + $0 })
        case .childStopped(let id, _), .childAbandoned(let id, _):
            guard stops[event.supervisor]?.ids.remove(id) != nil else { return }
            if stops[event.supervisor]?.ids.isEmpty == true { stops[event.supervisor] = nil }
            forget(below: id, in: event.supervisor)
        default:
            break
        }
    }

    /// Nobody waits any more for what is below a child.
    private mutating func forget(below id: String, in supervisor: ChildPath) {
        let depth = supervisor.ids.count
        for path in stops.keys where path.ids.count > depth {
            if path.ids[depth] == id, path.ids.starts(with: supervisor.ids) { stops[path] = nil }
        }
    }
}
