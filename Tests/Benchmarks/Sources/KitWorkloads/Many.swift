import Measuring
import Supervision

/// Children under an ordinary supervisor, each started when the one before has, and stopped in the opposite order.
func statically(_ count: Int, _ meter: Meter) async throws {
    try await manyInOrder(100, Meter { 0 })  // warm
    try await manyInOrder(count, meter)
}

private func manyInOrder(_ count: Int, _ meter: Meter) async throws {
    let (started, ended) = (Signal(), Tally())
    let before = meter.memory()
    let supervisor = Supervisor {
        for number in 1..<count { waiting("\(number)", ended) }
        waiting("\(count)", ended, tell: started)
    }
    try await running(supervisor, count, meter, whenStarted: started) {
        meter.memory(since: before, each: count)
        try await supervisor.expect(active: count)
    }
    try ended.expect(count, "ended")
}

/// Children that are started one by one when somebody asks, and go together.
func dynamically(_ count: Int, _ meter: Meter) async throws {
    try await manyThatCome(100, Meter { 0 })  // warm
    try await manyThatCome(count, meter)
}

private func manyThatCome(_ count: Int, _ meter: Meter) async throws {
    let (started, ended) = (Signal(), Tally())
    let rooms = DynamicSupervisor("rooms") { (child, _: Int) in
        child.started()
        await child.shutdownRequested()
        ended.add()
    }
    let supervisor = Supervisor {
        rooms
        waiting("last", Tally(), tell: started)
    }
    let run = Task { try await supervisor.run() }
    await started.wait()
    let before = meter.memory()
    meter.begin()
    for number in 0..<count { try await rooms.startChild(number) }
    meter.end("start", each: count)
    meter.memory(since: before, each: count)
    let found = try await rooms.countChildren().active
    guard found == count else { throw Wrong("\(found) children run, not \(count)") }
    meter.begin()
    supervisor.stop()
    try await run.value
    meter.end("stop", each: count)
    try ended.expect(count, "ended")
}

/// Chains of ten supervisors, each nested in the one before; at the end there is a child that waits.
func nested(_ count: Int, _ meter: Meter) async throws {
    let (started, ended, levels) = (Signal(), Tally(), 10)
    for _ in 0..<count {
        var chain = waiting("leaf", ended, tell: started)
        for level in 1..<levels {
            chain = Supervisor("\(level)") { chain }.childSpec
        }
        let top = Supervisor { chain }
        try await running(top, levels, meter, whenStarted: started)
    }
    try ended.expect(count, "ended")
}
