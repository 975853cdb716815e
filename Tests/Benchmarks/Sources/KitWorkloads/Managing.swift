import Measuring
import Supervision

/// Calls to a supervisor that has a thousand children already, from so many tasks at once.
func manage(callers: Int, _ count: Int, _ meter: Meter) async throws {
    let (started, ended, siblings) = (Signal(), Tally(), 1_000)
    let supervisor = Supervisor {
        for number in 1..<siblings { waiting("\(number)", ended) }
        waiting("last", ended, tell: started)
    }
    let each = max(1, count / callers)
    let all = each * callers

    @Sendable func calling(_ name: String, _ call: @escaping @Sendable (String) async throws -> Void)
        async throws
    {
        meter.begin()
        try await withThrowingTaskGroup { group in
            for caller in 0..<callers {
                group.addTask {
                    for number in 0..<each { try await call("\(caller)-\(number)") }
                }
            }
            try await group.waitForAll()
        }
        meter.end(name, each: all)
    }

    try await running(supervisor, whenStarted: started) {
        try await calling("start") { try await supervisor.startChild(waiting($0, ended).restart(.temporary)) }
        try await supervisor.expect(active: siblings + all)
        try await calling("terminate") { try await supervisor.terminateChild($0) }
        try await calling("count") { _ in
            let found = try await supervisor.countChildren().active
            guard found == siblings else { throw Wrong("\(found) children run, not \(siblings)") }
        }
    }
    try ended.expect(siblings + all, "ended")
}
