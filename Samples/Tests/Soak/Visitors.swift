import DaemonKit

/// Children that come, fail a few times, and go.
struct Visitors: Child {
    private let seed: UInt64
    private let tally: Tally
    private let room: DynamicSupervisor<Int>

    /// Makes a room that is empty at first.
    init(_ seed: UInt64, _ tally: Tally) {
        self.seed = seed
        self.tally = tally
        room = DynamicSupervisor(
            "room",
            maxChildren: 64,
            restart: .transient,
            backoff: .exponential(from: .milliseconds(5), to: .milliseconds(100)),
            limit: RestartIntensity(maxRestarts: 5, within: .seconds(10))
        ) { child, number in
            // Not the same each time it is started, or it would fail for ever.
            var random = SystemRandomNumberGenerator()
            var chance = Chance(seed &+ random.next(), "visitor", number)
            try await tally.body {
                child.started()
                try await spend(chance.about(.milliseconds(200)))
                if chance.happens(0.7) { throw Trouble.Failure(description: "visitor \(number) fails") }
            }
        }
    }

    var childSpec: ChildSpec {
        Supervisor("visitors", strategy: .restForOne, intensity: .unlimited) {
            room
            ChildSpec("door") {
                var chance = Chance(seed, "door", 0)
                try await tally.body {
                    var number = 0
                    while true {
                        try await spend(chance.about(.milliseconds(20)))
                        number += 1
                        do {
                            guard let visitor = try await room.startChild(number) else { continue }
                            // One in five is sent away again.
                            if chance.happens(0.2) { try await room.terminateChild(visitor) }
                        } catch let error as SupervisorError where error.code == .tooManyChildren {
                            continue
                        }
                    }
                }
            }
        }.childSpec
    }

    /// How many there are now.
    var count: Int {
        get async { (try? await room.countChildren())?.specs ?? 0 }
    }
}
