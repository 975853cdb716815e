import SupervisionLock
import Systemd

/// The listeners of a tree: those that stand in it, and those that are being served now.
final class ListenerRegistry: Sendable {
    private struct State {
        var declared: [(name: String, kind: DescriptorKind)] = []
        var active: [ObjectIdentifier: ActiveListener] = [:]
        /// The drainers for all listeners above which none stands.
        var topDrainers: [String] = []
    }

    private let log: DaemonLog
    private let state = Locked(State())

    init(log: DaemonLog) {
        self.log = log
    }

    /// Notes that a listener of this name stands in the tree, and what is passed to it.
    ///
    /// The tree is looked at from top to bottom: a drainer above all listeners is known by the first that comes.
    ///
    /// - Returns: Whether the name was free.
    func declare(_ name: String, for kind: DescriptorKind) -> Bool {
        let (isFree, misplaced) = state.withLock { state in
            defer { state.topDrainers = [] }
            let isFree = !state.declared.contains { $0.name == name }
            if isFree { state.declared.append((name, kind)) }
            return (isFree, state.topDrainers)
        }
        for drainer in misplaced {
            log.write(
                .warning,
                "\(drainer): stands above every listener and drains none: when its turn to stop comes they have gone; "
                    + "put it below them"
            )
        }
        return isFree
    }

    /// Notes that a drainer for all listeners stands in the tree.
    func declareDrainer(_ id: String) {
        state.withLock { state in
            if state.declared.isEmpty { state.topDrainers.append(id) }
        }
    }

    /// Whether a listener stands in the tree, as far as it has been looked at.
    var hasDeclared: Bool {
        state.withLock { !$0.declared.isEmpty }
    }

    func isDeclared(_ name: String) -> Bool {
        state.withLock { $0.declared.contains { $0.name == name } }
    }

    /// Whether a listener is the one that a single socket of its kind goes to which nobody asked for by name.
    func isFirst(_ name: String, for kind: DescriptorKind) -> Bool {
        state.withLock { $0.declared.first { $0.kind == kind }?.name == name }
    }

    /// Adds a listener as it begins to be served: who is told that it has started finds it here.
    func add(_ begin: () -> ActiveListener) -> ActiveListener {
        state.withLock { state in
            let listener = begin()
            state.active[ObjectIdentifier(listener)] = listener
            return listener
        }
    }

    func remove(_ listener: ActiveListener) {
        state.withLock { _ = $0.active.removeValue(forKey: ObjectIdentifier(listener)) }
    }

    /// The listeners of these names that are being served; of any name, where there are none.
    func active(_ names: [String]) -> [ActiveListener] {
        let active = state.withLock { Array($0.active.values) }
        return names.isEmpty ? active : active.filter { names.contains($0.name) }
    }
}
