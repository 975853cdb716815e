/// Looks through a whole tree before any of it is started, and collects everything that is wrong with it.
struct TreeCheck {
    private(set) var problems: [String] = []
    private var seen: Set<ObjectIdentifier> = []
    private let tree: TreeValues

    init(_ supervisor: Supervisor, tree: TreeValues) {
        self.tree = tree
        check(supervisor, at: [])
    }

    private mutating func check(_ supervisor: Supervisor, at path: ChildPath) {
        let place = path.ids.isEmpty ? "the top supervisor" : "supervisor \"\(path)\""
        guard seen.insert(ObjectIdentifier(supervisor)).inserted else {
            problems.append("\(place) stands in the tree twice: make one for each place")
            return
        }
        if supervisor.intensity.maxRestarts < 0 {
            problems.append(
                "\(place) allows \(supervisor.intensity.maxRestarts) restarts: it must be 0 or more"
            )
        }
        if supervisor.intensity.period <= .zero {
            problems.append(
                "\(place) counts restarts within \(supervisor.intensity.period): it must be above zero"
            )
        }

        var ids: Set<String> = []
        for child in supervisor.children {
            if child.id.isEmpty {
                problems.append("\(place) has a child whose id is empty: every child needs a name")
            } else if !ids.insert(child.id).inserted {
                problems.append(
                    "\(place) has several children called \"\(child.id)\": give each an id of its own"
                )
            }
            let childPath = path.appending(child.id)
            if let limit = child.shutdown.limit, limit < .zero {
                problems.append("child \"\(childPath)\" has a shutdown of \(limit): it must be zero or more")
            }
            problems += child.check(tree).map { "child \"\(childPath)\" \($0)" }
            if let nested = child.supervisor {
                check(nested, at: childPath)
            }
        }
    }
}
