import Supervision

/// What many children cost: `scale static 100000`, `scale dynamic 1000000`, `scale restarts 100000`.
@main
struct Scale {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        let count = arguments.last.flatMap { Int($0) } ?? 100_000
        print("\(arguments.first ?? "static"), \(count)")
        switch arguments.first {
        case "dynamic": try await dynamic(count)
        case "restarts": try await restarts(count)
        default: try await statically(count)
        }
    }

    /// Children under an ordinary supervisor, one after the other.
    private static func statically(_ count: Int) async throws {
        let started = Signal()
        let supervisor = Supervisor {
            for number in 0..<count {
                ChildSpec("\(number)") { child in
                    child.started()
                    await child.shutdownRequested()
                }
            }
            ChildSpec("last") { child in
                started.send()
                child.started()
                await child.shutdownRequested()
            }
        }
        let meter = Meter(count)
        let run = Task { try await supervisor.run() }
        await started.wait()
        meter.tell("start")
        meter.tellMemory()
        meter.begin()
        supervisor.stop()
        try await run.value
        meter.tell("stop")
    }

    /// Children that come one by one, are asked something, and go together.
    private static func dynamic(_ count: Int) async throws {
        let started = Signal()
        let rooms = DynamicSupervisor("rooms", shutdown: .infinity) { (child, room: Room) in
            child.started()
            await room.answer(until: child)
        }
        let supervisor = Supervisor {
            rooms
            ChildSpec("last") { child in
                child.started()
                started.send()
                await child.shutdownRequested()
            }
        }
        let run = Task { try await supervisor.run() }
        await started.wait()
        let all = (0..<count).map { Room(number: $0) }
        let meter = Meter(count)
        for room in all { try await rooms.startChild(room) }
        meter.tell("start")
        meter.tellMemory()
        meter.begin()
        for room in all {
            guard await room.ask() == room.number else { fatalError("room \(room.number) does not answer") }
        }
        meter.tell("answer")
        meter.begin()
        supervisor.stop()
        try await run.value
        meter.tell("stop")
    }

    /// One child among a thousand, from its failure until it runs again.
    private static func restarts(_ count: Int) async throws {
        struct Failure: Error {}
        let started = Signal()
        let failing = Room(number: 0)
        let supervisor = Supervisor(intensity: .unlimited) {
            for number in 0..<1_000 {
                ChildSpec("\(number)") { child in
                    child.started()
                    await child.shutdownRequested()
                }
            }
            ChildSpec("failing") { child in
                child.started()
                started.send()
                await failing.answerOnce(until: child)
                throw Failure()
            }
        }
        let run = Task { try await supervisor.run() }
        await started.wait()
        let meter = Meter(count)
        for _ in 0..<count {
            _ = await failing.ask()
            await started.wait()
        }
        meter.tell("restart")
        supervisor.stop()
        try await run.value
    }
}
