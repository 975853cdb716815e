import DaemonKit
import Synchronization

/// A child that fails after some time, again and again.
///
/// Its first start is well, or there would be no tree. Of the others one in ten fails before it has started, one in ten
/// returns, and the rest throw when their time has come.
struct Trouble: Child {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let id: String
    private let seed: UInt64
    private let tally: Tally
    private let lifetime: Duration

    init(_ id: String, _ seed: UInt64, _ tally: Tally, lifetime: Duration) {
        self.id = id
        self.seed = seed
        self.tally = tally
        self.lifetime = lifetime
    }

    var childSpec: ChildSpec {
        let starts = Starts()
        return ChildSpec(id) { child in
            let number = starts.next()
            var chance = Chance(seed, id, number)
            try await tally.body {
                if number > 1, chance.happens(0.1) { throw Failure(description: "start \(number) fails") }
                child.started()
                try await spend(chance.about(lifetime))
                if chance.happens(0.1) { return }
                throw Failure(description: "run \(number) fails")
            }
        }
    }

    /// How often a child has been started.
    final class Starts: Sendable {
        private let count = Atomic(0)

        func next() -> Int { count.wrappingAdd(1, ordering: .relaxed).newValue }
    }
}

extension Trouble {
    /// Supervisors of each strategy whose children fail; some of them give up, and are started again.
    static func neighbours(_ seed: UInt64, _ tally: Tally) -> Supervisor {
        func trouble(_ id: String, _ milliseconds: Int) -> Trouble {
            Trouble(id, seed, tally, lifetime: .milliseconds(milliseconds))
        }
        let pause = Backoff.exponential(from: .milliseconds(5), to: .milliseconds(200))
        return Supervisor("neighbours", strategy: .oneForOne, intensity: .unlimited) {
            trouble("at once", 100)
            trouble("later", 50).backoff(pause)
            Supervisor("one for all", strategy: .oneForAll, intensity: .unlimited) {
                for number in 1...4 { trouble("all \(number)", 400) }
            }
            Supervisor("rest for one", strategy: .restForOne, intensity: .unlimited) {
                for number in 1...4 { trouble("rest \(number)", 400) }
            }
            // More restarts than it puts up with: it gives up, and comes back.
            Supervisor("weak", intensity: RestartIntensity(maxRestarts: 2, within: .seconds(5))) {
                for number in 1...3 { trouble("weak \(number)", 300) }
            }
            .backoff(pause)
        }
    }
}
