/// Looks through a whole tree before any of it is started, and collects everything that is wrong with it.
struct TreeCheck {
    private(set) var problems: [String] = []
    private var seen: Set<ObjectIdentifier> = []
    private var referents: Set<ObjectIdentifier> = []
    private let tree: TreeValues

    init(_ supervisor: Supervisor, tree: TreeValues) {
        self.tree = tree
        check(supervisor, at: [])
    }

    /// Looks at a child that is to be added to a supervisor that runs.
    init(adding child: ChildSpec, to supervisor: Supervisor) {
        tree = TreeValues()
        if child.id.isEmpty {
            problems.append("a child was to be started whose id is empty: it needs a name")
        }
        check(child, of: supervisor, below: [])
    }

    private mutating func check(_ supervisor: Supervisor, at path: ChildPath) {
        let place = path.ids.isEmpty ? "the top supervisor" : "supervisor \"\(path)\""
        guard seen.insert(ObjectIdentifier(supervisor)).inserted else {
            problems.append("\(place) stands in the tree twice: make one for each place")
            return
        }
        problems += supervisor.intensity.problems.map { "\(place) \($0)" }

        var ids = Set<String>(minimumCapacity: supervisor.children.count)
        for child in supervisor.children {
            if child.id.isEmpty {
                problems.append("\(place) has a child whose id is empty: every child needs a name")
            } else if !ids.insert(child.id).inserted {
                problems.append(
                    "\(place) has several children called \"\(child.id)\": give each an id of its own"
                )
            }
            // Of thousands most are.
            if !child.isPlain { check(child, of: supervisor, below: path) }
        }
        if supervisor.autoShutdown != .never, !supervisor.children.contains(where: \.isSignificant) {
            problems.append(
                "\(place) ends by itself with its significant children, but none is: mark one with significant()"
            )
        }
    }

    private mutating func check(_ child: ChildSpec, of supervisor: Supervisor, below path: ChildPath) {
        var found = child.rules.problems
        if child.isSignificant, supervisor.autoShutdown == .never {
            found.append("is significant, but its supervisor never ends by itself: give it an autoShutdown")
        }
        if let nested = child.nested {
            found += nested.problems
            // A supervisor whose children are declared is looked at below.
            if !(nested is Supervisor), !seen.insert(ObjectIdentifier(nested)).inserted {
                found.append("stands in the tree twice: make one for each place")
            }
        }
        if let referent = child.referent, !referents.insert(ObjectIdentifier(referent)).inserted {
            found.append("publishes through a reference that another child has: make one for each")
        }
        if let check = child.check { found += check(tree) }
        if !found.isEmpty { problems += found.map { "child \"\(path.appending(child.id))\" \($0)" } }
        if let nested = child.nested as? Supervisor { check(nested, at: path.appending(child.id)) }
    }
}

extension ChildRules {
    /// What is wrong with them, as ends of a sentence about a child.
    var problems: [String] {
        var problems: [String] = []
        if let limit = shutdown.limit, limit < .zero {
            problems.append("has a shutdown of \(limit): it must be zero or more")
        }
        if let startTimeout, startTimeout <= .zero {
            problems.append("has a start timeout of \(startTimeout): it must be above zero")
        }
        if isSignificant, restart == .permanent {
            problems.append("is significant and permanent: a permanent child never ends for good")
        }
        problems += backoff?.problems ?? []
        problems += limit?.problems.map { "has a limit that \($0)" } ?? []
        return problems
    }
}

extension RestartIntensity {
    /// What is wrong with it, as ends of a sentence about a supervisor.
    var problems: [String] {
        var problems: [String] = []
        if maxRestarts < 0 { problems.append("allows \(maxRestarts) restarts: it must be 0 or more") }
        if period <= .zero { problems.append("counts restarts within \(period): it must be above zero") }
        return problems
    }
}
