import Measuring
import ServiceLifecycle

/// A service that only waits.
struct Waiting: Service, CustomStringConvertible {
    let count: Int
    let running: Tally
    let ended: Tally
    let allStarted: Signal

    // The group asks for it, for each service.
    var description: String { "waiting" }

    func run() async throws {
        if running.add() == count { allStarted.send() }
        try await gracefulShutdown()
        ended.add()
    }
}
