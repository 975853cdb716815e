import Measuring
import Supervision

/// How many children there are where some of them fail.
private let siblings = 1_000

/// Each of a thousand children in turn, from its failure until it runs again.
func restart(_ count: Int, _ meter: Meter) async throws {
    try await failing { chain, _ in await chain.fail(decadesTo: count, meter) }
}

/// The same while so many readers read what happens.
func restart(readers: Int, _ count: Int, _ meter: Meter) async throws {
    try await failing { chain, supervisor in
        let all = (0..<readers).map { _ in
            let events = supervisor.events()
            return Task {
                var restarts = 0
                for await event in events {
                    if case .childStarted = event.kind { restarts += 1 }
                }
                return restarts
            }
        }
        await chain.fail(siblings)  // warm
        meter.begin()
        await chain.fail(count)
        meter.end("restart", each: count)
        return {
            for reader in all {
                let seen = await reader.value
                guard seen == siblings + count else {
                    throw Wrong("\(seen) restarts were read, not \(count)")
                }
            }
        }
    }
}

private func failing(_ body: (Chain, Supervisor) async throws -> Void) async throws {
    try await failing { chain, supervisor in
        try await body(chain, supervisor)
        return {}
    }
}

/// Runs children that fail one after the other.
///
/// The body has them fail; what it returns is done when all is over.
private func failing(_ body: (Chain, Supervisor) async throws -> () async throws -> Void) async throws {
    let (chain, started) = (Chain(siblings), Signal())
    let supervisor = Supervisor(intensity: .unlimited) {
        for number in 0..<siblings {
            ChildSpec("\(number)") { child in
                child.started()
                try await chain.run(number)
            }
        }
        waiting("last", Tally(), tell: started)
    }
    var afterwards: () async throws -> Void = {}
    try await running(supervisor, whenStarted: started) {
        // Answered when the start of the last child is past.
        try await supervisor.expect(active: siblings + 1)
        afterwards = try await body(chain, supervisor)
        try await supervisor.expect(active: siblings + 1)
    }
    try await afterwards()
}

/// A thousand children that are started again together because the first has failed.
func together(_ strategy: Strategy, _ count: Int, _ meter: Meter) async throws {
    let (failure, up, ended) = (Signal(), Signal(), Tally())
    let supervisor = Supervisor(strategy: strategy, intensity: .unlimited) {
        ChildSpec("first") { child in
            child.started()
            if await failure.isSent() { throw Chain.Failure() }
        }
        for number in 2..<siblings { waiting("\(number)", ended) }
        waiting("last", ended, tell: up)
    }
    try await running(supervisor, whenStarted: up) {
        failure.send()
        await up.wait()  // warm
        meter.begin()
        for _ in 0..<count {
            failure.send()
            await up.wait()
        }
        meter.end("restart", each: count * siblings)
        try await supervisor.expect(active: siblings)
    }
    try ended.expect((count + 2) * (siblings - 1), "ended")
}
