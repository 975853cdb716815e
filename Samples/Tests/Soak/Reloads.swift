import DaemonKit

/// Does something for each reload, and fails one in four.
struct Reloads: Child {
    private let seed: UInt64
    private let tally: Tally

    init(_ seed: UInt64, _ tally: Tally) {
        self.seed = seed
        self.tally = tally
    }

    var childSpec: ChildSpec {
        ChildSpec("config") { child in
            child.onReload {
                let number = tally.now.reloads
                tally.update { $0.reloads += 1 }
                var chance = Chance(seed, "reload", number)
                try await spend(chance.about(.milliseconds(20)))
                guard chance.happens(0.25) else { return }
                tally.update { $0.failedReloads += 1 }
                throw Trouble.Failure(description: "reload \(number) fails")
            }
            child.started()
            await child.shutdownRequested()
        }
    }
}
