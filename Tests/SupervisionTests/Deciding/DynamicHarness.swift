@testable import Supervision

/// A dynamic machine in the hands of a test: numbers its calls, and lets time stand still unless told.
struct DynamicTrial {
    var machine: DynamicMachine
    private var nextCall = 100

    init(
        _ restart: Restart = .permanent,
        shutdown: Shutdown = .timeout(.seconds(5)),
        backoff: Backoff? = nil,
        limit: RestartIntensity? = nil,
        intensity: RestartIntensity = .default,
        maxChildren: Int = .max,
        children: Int = 0
    ) {
        var rules = ChildRules(restart: restart, shutdown: shutdown)
        rules.backoff = backoff
        rules.limit = limit
        machine = DynamicMachine(rules: rules, intensity: intensity, maxChildren: maxChildren, seed: 1)
        guard children > 0 else { return }
        _ = machine.start(at: .zero)
        for slot in 0..<children {
            _ = start()
            _ = started(ref(slot))
        }
    }

    private var number: Int {
        mutating get {
            nextCall += 1
            return nextCall
        }
    }

    mutating func start() -> [Action] { call(.start(id: "", .plain())) }

    mutating func call(_ call: Call, number: Int? = nil, at now: Duration = .zero) -> [Action] {
        let number = number ?? self.number
        return machine.call(number, call, at: now)
    }

    mutating func started(_ ref: ChildRef, at now: Duration = .zero) -> [Action] {
        machine.childStarted(ref, at: now)
    }

    mutating func end(
        _ ref: ChildRef,
        _ exit: Exit = .threw,
        _ response: FailureResponse = .restart,
        at now: Duration = .zero
    ) -> [Action] {
        machine.childEnded(ref, exit, response: response, at: now)
    }

    mutating func stop(at now: Duration = .zero) -> [Action] { machine.stopRequested(at: now) }

    mutating func pass(to now: Duration) -> [Action] { machine.deadlineReached(at: now) }

    var states: [Int: ChildState] {
        let standings = machine.standings(limit: .max).map { ($0.slot, $0.standing.state) }
        return Dictionary(uniqueKeysWithValues: standings)
    }
}
