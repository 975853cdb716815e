import Logging
import Measuring
import ServiceLifecycle

/// What services cost under swift-service-lifecycle, which starts them without an order and starts none again:
/// `lifecycle static 10000`.
@main
struct Lifecycle {
    static func main() async {
        await Contender(["static": statically], meter: .time()).run()
    }

    @Sendable private static func statically(_ count: Int, _ meter: Meter) async throws {
        try await many(100, Meter { 0 })  // warm
        try await many(count, meter)
    }

    private static func many(_ count: Int, _ meter: Meter) async throws {
        let (running, ended, allStarted) = (Tally(), Tally(), Signal())
        let before = meter.memory()
        let group = ServiceGroup(
            configuration: .init(
                services: (0..<count).map { _ in
                    Waiting(count: count, running: running, ended: ended, allStarted: allStarted)
                },
                logger: Logger(label: "lifecycle", factory: { _ in SwiftLogNoOpLogHandler() })
            )
        )
        meter.begin()
        let run = Task { try await group.run() }
        await allStarted.wait()
        meter.end("start", each: count)
        meter.memory(since: before, each: count)
        meter.begin()
        await group.triggerGracefulShutdown()
        try await run.value
        meter.end("stop", each: count)
        try ended.expect(count, "ended")
    }
}
