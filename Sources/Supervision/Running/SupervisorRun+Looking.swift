// What a run knows of itself, as values.

extension SupervisorRun {
    /// Everything that this supervisor knows, and whom to ask for the rest.
    func look(limit: Int) -> PendingCall.Look {
        let children = snapshots(limit: limit)
        var nested: [(index: Int, supervisor: any NestedSupervisor)] = []
        var index = 0
        nodes.forEach { _, node in
            if let supervisor = node.spec.nested, node.copy != nil, index < limit {
                nested.append((index, supervisor))
            }
            index += 1
        }
        let snapshot = TreeSnapshot(
            path: place.path,
            kind: place.kind,
            state: state,
            since: since,
            time: now,
            restarts: 0,
            waitsFor: waitsFor,
            childCount: nodes.count,
            children: children
        )
        return PendingCall.Look(snapshot: snapshot, nested: nested)
    }

    func snapshots(limit: Int) -> [TreeSnapshot] {
        machine.standings(limit: limit).compactMap { slot, standing in
            nodes[slot].map { snapshot(slot, standing, $0) }
        }
    }

    func snapshot(_ slot: Int, _ standing: Standing, _ node: Node) -> TreeSnapshot {
        let now = now
        return TreeSnapshot(
            path: place.path.appending(node.spec.id),
            kind: node.spec.nested?.kind ?? .worker,
            state: TreeSnapshot.State(standing.state),
            since: standing.since,
            time: now,
            restarts: max(standing.generation - 1, 0),
            lastError: lastFailure(of: slot),
            waitsFor: standing.until.map { .restart(left: max($0 - now, .zero)) },
            childCount: node.spec.nested?.declaredChildren.count ?? 0,
            children: []
        )
    }

    private var state: TreeSnapshot.State {
        switch machine.condition {
        case .idle: .notStarted
        case .starting, .restarting: .starting
        case .running: .running
        case .stopping: .stopping
        case .ended: .stopped
        }
    }

    private var waitsFor: TreeSnapshot.Waiting? {
        switch machine.focus {
        case .start(let slot)?: .start(place.path.appending(id(slot)))
        case .stop(let slot, let deadline)?:
            .stop(place.path.appending(id(slot)), left: deadline.map { max($0 - now, .zero) })
        case nil: nil
        }
    }
}

extension TreeSnapshot.State {
    init(_ state: ChildState) {
        switch state {
        case .unstarted: self = .notStarted
        case .starting: self = .starting
        case .running: self = .running
        case .waiting: self = .waiting
        case .stopping: self = .stopping
        case .stopped: self = .stopped
        case .terminated: self = .terminated
        case .done: self = .done
        case .givenUp: self = .givenUp
        case .abandoned: self = .abandoned
        }
    }
}
