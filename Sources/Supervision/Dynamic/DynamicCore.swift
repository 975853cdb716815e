/// What all dynamic supervisors are, whatever their children are given.
final class DynamicCore: NestedSupervisor {
    let port = ControlPort()
    let declaredChildren: [ChildSpec] = []
    let kind = TreeSnapshot.Kind.dynamicSupervisor

    private let rules: ChildRules
    private let intensity: RestartIntensity
    private let maxChildren: Int
    let eventHub = EventHub()

    init(rules: ChildRules, intensity: RestartIntensity, maxChildren: Int) {
        self.rules = rules
        self.intensity = intensity
        self.maxChildren = maxChildren
    }

    var longestStop: Duration? { rules.shutdown.whole }

    var problems: [String] {
        var problems = intensity.problems + rules.problems
        if maxChildren < 1 { problems.append("may have \(maxChildren) children: it must be 1 or more") }
        return problems
    }

    func childSpec(_ id: String) -> ChildSpec {
        ChildSpec(
            id: id,
            rules: ChildRules(restart: .permanent, shutdown: .infinity),
            startsAtOnce: false,
            nested: self,
            body: { [self] context in try await run(context) }
        )
    }

    private func run(_ context: ChildContext) async throws {
        eventHub.attach(to: context.place.eventHub)
        let inbox = try port.open(at: context.path)
        defer { port.close() }
        let machine = DynamicMachine(
            rules: rules,
            intensity: intensity,
            maxChildren: maxChildren,
            seed: .random(in: 0...UInt64.max)
        )
        let place = SupervisorPlace(
            path: context.path,
            position: context.position,
            kind: kind,
            intensity: intensity,
            tree: context.tree,
            timekeeper: context.place.timekeeper,
            eventHub: eventHub,
            inbox: inbox,
            onAllStarted: { context.started() }
        )
        let loop = SupervisorLoop(SupervisorRun(machine, at: place, children: []))
        try await withTaskCancellationHandler {
            try await loop.perform()
        } onCancel: {
            inbox.send(.stop)
        }
    }

    /// Starts a child.
    ///
    /// With a referent the wait for its start is not ended by a cancellation: whoever has that can stop the child.
    nonisolated(nonsending) func startChild(
        referent: (any Referent)? = nil,
        _ body: @escaping @Sendable (ChildContext) async throws -> Void
    ) async throws -> DynamicChild? {
        // It is called by its number, which it is given where it is started.
        var spec = ChildSpec(id: "", rules: rules, startsAtOnce: false, body: body)
        spec.referent = referent
        let answer = try await port.ask(.start(spec), isCancellable: referent == nil)
        guard case .started(let slot, let run) = answer else { return nil }
        return DynamicChild(number: slot, run: run)
    }

    nonisolated(nonsending) func terminateChild(_ child: DynamicChild) async throws {
        // One of an earlier run has ended with it.
        guard child.run == port.run else { return }
        do {
            _ = try await port.ask(.terminate(.slot(child.number)))
        } catch let error as SupervisorError where error.code == .childNotFound {
            // It has ended by itself in the meantime: just as well.
        }
    }

    /// Asks for something without waiting for the answer, unless it is about an earlier run.
    func post(_ request: PendingCall.Request, to run: Int) {
        if run == port.run { port.post(request) }
    }

    nonisolated(nonsending) func countChildren() async throws -> ChildCount {
        guard case .count(let count) = try await port.ask(.count) else {
            return ChildCount(specs: 0, active: 0, supervisors: 0, workers: 0)
        }
        return count
    }

    nonisolated(nonsending) func whichChildren() async throws -> [TreeSnapshot] {
        guard case .snapshots(let children) = try await port.ask(.children) else { return [] }
        return children
    }
}
