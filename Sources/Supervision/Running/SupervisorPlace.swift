/// Where one run of a supervisor takes place.
struct SupervisorPlace {
    let path: ChildPath
    let kind: TreeSnapshot.Kind
    let intensity: RestartIntensity
    let tree: TreeValues
    let timekeeper: Timekeeper
    let eventHub: EventHub
    let onAllStarted: () -> Void

    /// Whether there is no supervisor above.
    var isTop: Bool { path.ids.isEmpty }
}
