import Testing

@testable import Supervision

/// Random lives of supervisors, held against what must be true after every step.
@Suite("Decisions: random sequences")
struct MachineModelTests {
    @Test("no sequence of events breaks an invariant", arguments: Strategy.allCases)
    func invariants(strategy: Strategy) {
        for seed in 1...UInt64(300) {
            var life = Life(strategy: strategy, seed: seed)
            life.live()
            guard let broken = life.broken else { continue }
            Issue.record("\(strategy), seed \(seed): \(broken)\n\(life.story.joined(separator: "\n"))")
            return
        }
    }
}

/// One machine, and the copies of its children as the world sees them.
private struct Life {
    private(set) var broken: String?
    private(set) var story: [String] = []

    private var random: SplitMix
    private var machine: Machine
    private let restarts: [Restart]
    private let intensity: RestartIntensity
    private var now = Duration.zero

    /// Copies that run, and whether they have started.
    private var copies: [ChildRef: Bool] = [:]
    private var told: Set<ChildRef> = []
    private var abandoned: Set<ChildRef> = []
    private var begun: Set<Int> = []
    private var admitted: [Duration] = []
    private var isEnding = false
    private var isFinished = false

    init(strategy: Strategy, seed: UInt64) {
        var random = SplitMix(state: seed)
        let shutdowns: [Shutdown] = [
            .timeout(.seconds(5)), .graceful(.seconds(3)), .infinity, .timeout(.zero), .graceful(.zero),
        ]
        var children: [(restart: Restart, shutdown: Shutdown)] = []
        for _ in 0..<random.below(6) {
            children.append((Restart.allCases[random.below(3)], shutdowns[random.below(5)]))
        }
        restarts = children.map(\.restart)
        intensity = RestartIntensity(maxRestarts: random.below(5), within: .seconds(4))
        machine = Machine(
            strategy: strategy,
            intensity: intensity,
            rules: children.map { ChildRules(restart: $0.restart, shutdown: $0.shutdown) }
        )
        self.random = random
    }

    /// Lives until the supervisor has ended, or something is broken.
    mutating func live() {
        perform("start", machine.start())
        var steps = 0
        while !isFinished, broken == nil {
            steps += 1
            // After some time everything is asked to stop, and then nothing may keep it from ending.
            if steps == 60 { perform("stop", machine.stopRequested(at: now)) }
            guard steps < 300 else { return broken = "has not ended" }
            step(mayHang: steps < 100)
        }
        if broken == nil, !machine.stopRequested(at: now).isEmpty { broken = "acts after the end" }
    }

    private mutating func step(mayHang: Bool) {
        let refs = copies.keys.filter { mayHang || !abandoned.contains($0) }
            .sorted { ($0.slot, $0.generation) < ($1.slot, $1.generation) }
        let choice = random.below(12)
        if choice == 0 { now += .milliseconds(random.below(3_000)) }
        if choice == 1, random.below(20) == 0 { return perform("stop", machine.stopRequested(at: now)) }
        if choice <= 2 || refs.isEmpty {
            if !mayHang || random.below(2) == 0, let deadline = machine.deadline { now = max(now, deadline) }
            return perform("time \(now)", machine.deadlineReached(at: now))
        }
        let ref = refs[random.below(refs.count)]
        if copies[ref] == false, random.below(3) > 0 {
            copies[ref] = true
            return perform("started \(ref)", machine.childStarted(ref))
        }
        let exit = [Exit.returned, .threw, .threw, .cancelled, .leftRunning][
            random.below(random.below(15) == 0 ? 5 : 4)
        ]
        copies[ref] = nil
        told.remove(ref)
        if exit == .leftRunning { abandoned.insert(ref) } else { abandoned.remove(ref) }
        perform("ended \(ref) \(exit)", machine.childEnded(ref, exit, at: now))
    }

    private mutating func perform(_ what: String, _ actions: [Action]) {
        story.append("\(what) → \(actions)")
        if isFinished, !actions.isEmpty { broken = "acts after the end" }
        for action in actions where broken == nil { check(action) }
    }

    private mutating func check(_ action: Action) {
        switch action {
        case .start(let ref):
            if copies.keys.contains(where: { $0.slot == ref.slot })
                || abandoned.contains(where: { $0.slot == ref.slot })
            {
                broken = "two copies of \(ref.slot)"
            }
            if isEnding { broken = "starts \(ref) while ending" }
            if restarts[ref.slot] == .temporary, begun.contains(ref.slot) {
                broken = "temporary \(ref.slot) is back"
            }
            copies[ref] = false
            begun.insert(ref.slot)
        case .ask(let ref), .cancel(let ref):
            if copies[ref] == nil { broken = "stops \(ref), which does not run" }
            let isOutOfOrder = copies.keys.contains {
                $0.slot > ref.slot && !abandoned.contains($0) && !told.contains($0)
            }
            if isOutOfOrder { broken = "stops \(ref) before one below it" }
            if told.contains(where: { $0 != ref && !abandoned.contains($0) }) { broken = "stops two at once" }
            told.insert(ref)
        case .report(.childAbandoned(let ref, _)):
            abandoned.insert(ref)
        case .report(.childRestarting):
            if isEnding { broken = "restarts while ending" }
            admitted.append(now)
            if admitted.count(where: { now - $0 <= intensity.period }) > intensity.maxRestarts {
                broken = "more restarts than allowed"
            }
        case .report(.stopping(let reason)):
            if isEnding { broken = "begins to end twice" }
            isEnding = true
            if case .gaveUp = reason,
                admitted.count(where: { now - $0 <= intensity.period }) < intensity.maxRestarts
            {
                broken = "gives up too early"
            }
        case .finish(_, let left):
            isFinished = true
            if Set(left) != abandoned { broken = "ends with \(left), abandoned are \(abandoned)" }
            if copies.keys.contains(where: { !abandoned.contains($0) }) {
                broken = "ends while \(copies.keys) run"
            }
        default:
            break
        }
    }
}

private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ bound: Int) -> Int {
        Int(next() % UInt64(bound))
    }
}
