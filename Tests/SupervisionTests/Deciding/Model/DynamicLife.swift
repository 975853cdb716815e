@testable import Supervision

/// A random life of a dynamic supervisor: what happens to it comes from a seed.
struct DynamicLife: RandomLife {
    private(set) var story: [String] = []
    var broken: String? { world.broken }

    private var random: SeededRandom
    private var machine: DynamicMachine
    private var world: DynamicWorld
    private let isTold: Bool
    private var nextCall = 1

    init(seed: UInt64, isTold: Bool) {
        var random = SeededRandom(seed: seed)
        let shutdowns: [Shutdown] = [
            .timeout(.seconds(2)), .graceful(.seconds(3)), .infinity, .timeout(.zero), .graceful(.zero),
        ]
        var rules = ChildRules(restart: random.pick(Restart.allCases), shutdown: random.pick(shutdowns))
        if random.once(in: 3) {
            rules.backoff = random.pick([
                .constant(.milliseconds(400)), .constant(.zero),
                .exponential(from: .milliseconds(100), to: .milliseconds(900), jitter: 0.3),
            ])
        }
        if random.once(in: 3) {
            rules.limit = RestartIntensity(maxRestarts: random.below(3), within: .milliseconds(1_500))
        }
        let intensity = RestartIntensity(maxRestarts: random.below(6), within: .seconds(2))
        let maxChildren = random.once(in: 2) ? 1 + random.below(5) : Int.max
        machine = DynamicMachine(
            rules: rules,
            intensity: intensity,
            maxChildren: maxChildren,
            seed: random.next()
        )
        world = DynamicWorld(rules: rules, intensity: intensity, maxChildren: maxChildren)
        self.random = random
        self.isTold = isTold
        if isTold { story = ["\(rules), \(intensity), at most \(maxChildren)"] }
    }

    mutating func live() {
        while random.once(in: 4) { call() }
        if random.once(in: 4), let number = world.callers.keys.min() { perform(.withdraw(number)) }
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

    private mutating func end() {
        var steps = 0
        while !world.isFinished, broken == nil {
            steps += 1
            if steps == 300 { world.fail("has not ended") }
            let running = world.children.indices.filter {
                world.children[$0].isAlive && world.children[$0].state != .abandoned
            }
            if !running.isEmpty, machine.deadline == nil || random.below(3) > 0 {
                let slot = random.pick(running)
                perform(
                    .ended(
                        ChildRef(slot: slot, generation: world.children[slot].generation),
                        exit(),
                        .restart
                    )
                )
            } else {
                passTime(to: machine.deadline)
            }
        }
    }

    private mutating func step() {
        if random.once(in: 4) { world.now += .milliseconds(random.below(200)) }
        switch random.below(40) {
        case 0: if random.once(in: 8) { perform(.stop) }
        case 1...4: passTime(to: random.once(in: 3) ? nil : machine.deadline)
        case 5...17: call()
        case 18: tellOldNews()
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
            break
        default:
            perform(.ended(ref, exit(), response()))
        }
    }

    private mutating func exit() -> Exit {
        random.once(in: 40) ? .leftRunning : random.pick([.returned, .threw, .threw, .threw, .cancelled])
    }

    private mutating func response() -> FailureResponse {
        switch random.below(40) {
        case 0: .giveUpSupervisor
        case 1...4: .giveUpChild
        default: .restart
        }
    }

    private mutating func tellOldNews() {
        guard !world.children.isEmpty else { return }
        let slot = random.below(world.children.count)
        let generation = world.children[slot].generation + random.pick([-1, 1])
        let ref = ChildRef(slot: slot, generation: generation)
        perform(random.once(in: 2) ? .started(ref) : .ended(ref, exit(), response()), isNews: false)
    }

    private mutating func passTime(to deadline: Duration?) {
        world.now = max(world.now, deadline ?? world.now + .milliseconds(random.below(2_500)))
        var rounds = 0
        repeat {
            rounds += 1
            if rounds == 100 { world.fail("is never done with what is due") }
            perform(.time)
        } while broken == nil && machine.deadline ?? .seconds(1_000_000) <= world.now
    }

    private mutating func call() {
        let number = nextCall
        nextCall += 1
        let target = Call.Target.slot(random.below(world.children.count + 1))
        let call: Call =
            switch random.below(12) {
            case 0...5: .start(id: "", world.rules)
            case 6...8: .terminate(target)
            case 9: .find(target)
            case 10: .read
            default: random.pick([.restart(target), .delete(target), .terminate(.id("a")), .find(.id("a"))])
            }
        perform(.call(number, call))
    }

    private mutating func perform(_ event: DynamicWorld.Event, isNews: Bool = true) {
        guard broken == nil else { return }
        let deadline = machine.deadline
        world.note(event)
        let actions = act(on: event)
        if isTold {
            story.append("\(world.now): \(event)")
            story += actions.map { "    \($0)" }
        }
        if !isNews, !actions.isEmpty { world.fail("acts on old news") }
        for action in actions where broken == nil { world.follow(action, machine) }
        if broken == nil { world.check(machine) }
        if case .time = event, actions.isEmpty, let deadline, deadline <= world.now,
            deadline == machine.deadline
        {
            world.fail("does nothing about its deadline, \(deadline)")
        }
    }

    private mutating func act(on event: DynamicWorld.Event) -> [Action] {
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
