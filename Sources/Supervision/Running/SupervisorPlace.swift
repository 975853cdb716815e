/// Where one run of a supervisor takes place: what its children have in common.
final class SupervisorPlace: Sendable {
    let path: ChildPath
    /// The numbers of the supervisors above and of this one, each among its siblings.
    let position: [Int]
    let kind: TreeSnapshot.Kind
    let intensity: RestartIntensity
    let tree: TreeValues
    let timekeeper: Timekeeper
    let eventHub: EventHub
    /// Where news of the children goes.
    let inbox: Inbox
    let onAllStarted: @Sendable () -> Void

    init(
        path: ChildPath,
        position: [Int],
        kind: TreeSnapshot.Kind,
        intensity: RestartIntensity,
        tree: TreeValues,
        timekeeper: Timekeeper,
        eventHub: EventHub,
        inbox: Inbox,
        onAllStarted: @escaping @Sendable () -> Void
    ) {
        self.path = path
        self.position = position
        self.kind = kind
        self.intensity = intensity
        self.tree = tree
        self.timekeeper = timekeeper
        self.eventHub = eventHub
        self.inbox = inbox
        self.onAllStarted = onAllStarted
    }

    /// Whether there is no supervisor above.
    var isTop: Bool { path.ids.isEmpty }
}
