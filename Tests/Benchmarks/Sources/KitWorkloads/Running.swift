import Measuring
import Supervision

/// Runs a tree and does something with it once it has started; afterwards it is stopped.
///
/// The meter measures the start of so many children and their stop.
func running(
    _ supervisor: Supervisor,
    _ count: Int = 1,
    _ meter: Meter? = nil,
    whenStarted started: Signal,
    _ body: () async throws -> Void = {}
) async throws {
    meter?.begin()
    let run = Task { try await supervisor.run() }
    await started.wait()
    meter?.end("start", each: count)
    try await body()
    meter?.begin()
    supervisor.stop()
    try await run.value
    meter?.end("stop", each: count)
}

/// A child that only waits, says so to whom it concerns, and is counted when it has ended.
func waiting(_ id: String, _ ended: Tally, tell started: Signal? = nil) -> ChildSpec {
    ChildSpec(id) { child in
        child.started()
        started?.send()
        await child.shutdownRequested()
        ended.add()
    }
}

extension Supervisor {
    /// Checks how many children run.
    func expect(active count: Int) async throws {
        let found = try await countChildren().active
        guard found == count else { throw Wrong("\(found) children run, not \(count)") }
    }
}
