/// Where one run of a supervisor takes place.
struct SupervisorPlace {
    let path: ChildPath
    /// The numbers of the supervisors above and of this one, each among its siblings.
    let position: [Int]
    let kind: TreeSnapshot.Kind
    let intensity: RestartIntensity
    let tree: TreeValues
    let timekeeper: Timekeeper
    let eventHub: EventHub
    let onAllStarted: () -> Void

    /// Whether there is no supervisor above.
    var isTop: Bool { path.ids.isEmpty }
}
