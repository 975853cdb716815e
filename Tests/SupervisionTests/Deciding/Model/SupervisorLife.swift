@testable import Supervision

/// A random life of a supervisor: what happens to it comes from a seed.
struct SupervisorLife: RandomLife {
    private(set) var story: [String] = []
    var broken: String? { world.broken }

    private var random: SeededRandom
    private var machine: SupervisorMachine
    private var world: SupervisorWorld
    private let isTold: Bool
    private var nextCall = 1

    init(seed: UInt64, isTold: Bool) {
        var random = SeededRandom(seed: seed)
        let strategy = random.pick(Strategy.allCases)
        let intensity =
            random.once(in: 8)
            ? RestartIntensity.unlimited
            : RestartIntensity(maxRestarts: random.below(5), within: .milliseconds(500 + random.below(4_000)))
        let autoShutdown = random.pick(AutoShutdown.allCases)
        var children: [(id: String, rules: ChildRules)] = []
        for place in 0..<random.below(6) {
            children.append(("child \(place)", Self.rules(autoShutdown, &random)))
        }
        machine = SupervisorMachine(
            strategy: strategy,
            intensity: intensity,
            autoShutdown: autoShutdown,
            children: children,
            seed: random.next()
        )
        world = SupervisorWorld(
            strategy: strategy,
            intensity: intensity,
            autoShutdown: autoShutdown,
            children: children
        )
        self.random = random
        self.isTold = isTold
        if isTold {
            story = ["\(strategy), \(intensity), \(autoShutdown)"] + children.map { "\($0.id): \($0.rules)" }
        }
    }

    private static func rules(_ autoShutdown: AutoShutdown, _ random: inout SeededRandom) -> ChildRules {
        let shutdowns: [Shutdown] = [
            .timeout(.seconds(5)), .timeout(.seconds(1)), .graceful(.seconds(3)), .infinity, .timeout(.zero),
            .graceful(.zero),
        ]
        var rules = ChildRules(restart: random.pick(Restart.allCases), shutdown: random.pick(shutdowns))
        if autoShutdown != .never, rules.restart != .permanent { rules.isSignificant = random.once(in: 2) }
        if random.once(in: 4) {
            let backoffs: [Backoff] = [
                .constant(.milliseconds(400)), .constant(.zero),
                .exponential(from: .milliseconds(100), to: .milliseconds(1_500), jitter: 0),
                .exponential(from: .milliseconds(200), to: .seconds(2), jitter: 0.5, resetAfter: .seconds(1)),
            ]
            rules.backoff = random.pick(backoffs)
        }
        if random.once(in: 4) {
            rules.limit = RestartIntensity(maxRestarts: random.below(4), within: .milliseconds(1_500))
        }
        return rules
    }

    mutating func live() {
        if random.once(in: 20) { call() }
        if random.once(in: 40) { perform(.stop) }
        perform(.start)
        for _ in 0..<(10 + random.below(60)) where !world.isFinished && broken == nil {
            step()
        }
        perform(.stop)
        if world.ending == nil { world.fail("does not stop") }
        end()
        guard broken == nil else { return }
        perform(.stop)
        call()
        perform(.time)
    }

    /// From here on nothing may keep it from ending: what is told to stop stops, or its time comes.
    private mutating func end() {
        var steps = 0
        while !world.isFinished, broken == nil {
            steps += 1
            if steps == 200 { world.fail("has not ended") }
            let ref = machine.stop?.ref
            if let ref, machine.deadline == nil || random.below(3) > 0 {
                perform(.ended(ref, exit(), .restart))
            } else {
                passTime(to: machine.deadline)
            }
        }
    }
}

// MARK: - What happens

extension SupervisorLife {
    private mutating func step() {
        if random.once(in: 4) { world.now += .milliseconds(random.below(200)) }
        switch random.below(40) {
        case 0: if random.once(in: 8) { perform(.stop) }
        case 1...4: passTime(to: random.once(in: 3) ? nil : machine.deadline)
        case 5...11: call()
        case 12:
            if !world.callers.isEmpty { perform(.withdraw(random.pick(world.callers).number)) }
        case 13: tellOldNews()
        default: moveChild()
        }
    }

    private mutating func moveChild() {
        let alive = world.children.indices.filter { world.children[$0].isAlive }
        guard !alive.isEmpty else { return passTime(to: machine.deadline) }
        let slot = random.pick(alive)
        let child = world.children[slot]
        let ref = ChildRef(slot: slot, generation: child.generation)
        switch child.state {
        case .starting where !random.once(in: 4):
            perform(.started(ref))
        case .running where !random.once(in: 3), .abandoned where !random.once(in: 4),
            .stopping where random.once(in: 3):
            // It goes on with what it does.
            break
        default:
            perform(.ended(ref, exit(), response()))
        }
    }

    private mutating func exit() -> Exit {
        random.once(in: 40) ? .leftRunning : random.pick([.returned, .threw, .threw, .threw, .cancelled])
    }

    private mutating func response() -> FailureResponse {
        switch random.below(30) {
        case 0: .giveUpSupervisor
        case 1...3: .giveUpChild
        default: .restart
        }
    }

    /// Of a copy that there is no more, or not yet.
    private mutating func tellOldNews() {
        guard !world.children.isEmpty else { return }
        let slot = random.below(world.children.count)
        let generation = world.children[slot].generation + random.pick([-1, 1])
        let ref = ChildRef(slot: slot, generation: generation)
        perform(random.once(in: 2) ? .started(ref) : .ended(ref, exit(), response()), isNews: false)
    }

    /// Lets time pass, and what is due happen.
    private mutating func passTime(to deadline: Duration?) {
        world.now = max(world.now, deadline ?? world.now + .milliseconds(random.below(2_500)))
        // As long as something is due; each time something must come of it, or it must be settled.
        var rounds = 0
        repeat {
            rounds += 1
            if rounds == 100 { world.fail("is never done with what is due") }
            perform(.time)
        } while broken == nil && machine.deadline ?? .seconds(1_000_000) <= world.now
            && !random.once(in: 5)
    }

    private mutating func call() {
        let number = nextCall
        nextCall += 1
        let isNew = random.once(in: 4)
        let id = isNew || world.children.isEmpty ? "child \(10 + number)" : random.pick(world.children).id
        let target: Call.Target =
            random.once(in: 3) ? .slot(random.below(world.children.count + 1)) : .id(id)
        let call: Call =
            switch random.below(10) {
            case 0...2: .start(id: id, Self.rules(world.autoShutdown, &random))
            case 3...5: .terminate(target)
            case 6, 7: .restart(target)
            case 8: .delete(target)
            default: random.once(in: 3) ? .read : .find(target)
            }
        perform(.call(number, call))
    }

    private mutating func perform(_ event: SupervisorWorld.Event, isNews: Bool = true) {
        guard broken == nil else { return }
        let phase = machine.phase
        let deadline = machine.deadline
        world.note(event, machine)
        let actions = act(on: event)
        if isTold {
            story.append("\(world.now): \(event)")
            story += actions.map { "    \($0)" }
        }
        if !isNews, !actions.isEmpty { world.fail("acts on old news") }
        for action in actions where broken == nil { world.follow(action, machine, after: phase) }
        if broken == nil { world.check(machine) }
        if case .time = event, actions.isEmpty, let deadline, deadline <= world.now,
            deadline == machine.deadline
        {
            world.fail("does nothing about its deadline, \(deadline)")
        }
    }

    private mutating func act(on event: SupervisorWorld.Event) -> [Action] {
        switch event {
        case .start: return machine.start(at: world.now)
        case .started(let ref): return machine.childStarted(ref, at: world.now)
        case .ended(let ref, let exit, let response):
            return machine.childEnded(ref, exit, response: response, at: world.now)
        case .stop: return machine.stopRequested(at: world.now)
        case .time: return machine.deadlineReached(at: world.now)
        case .call(let number, let call): return machine.call(number, call, at: world.now)
        case .withdraw(let number):
            machine.withdraw(number)
            return []
        }
    }
}
