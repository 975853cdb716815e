import Supervision
import SupervisionTesting
import Testing

/// The two large ones are run as a program runs them, without a trial.
@Suite("Storm: failures and calls from everywhere at once", .serialized)
struct StormTests {
    @Test("one for one: never two copies of a child, every call is answered, nobody is left at the end")
    func oneForOne() async throws {
        let storm = Storm(failures: Storm.failures)
        let supervisor = Supervisor(intensity: .unlimited) {
            for number in 0..<1_000 { child(number, in: storm) }
        }
        storm.watch(supervisor)
        let run = Task { try await supervisor.run() }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 { group.addTask { await manage(supervisor, 1_000, in: storm) } }
        }
        #expect(try await supervisor.countChildren().active <= 1_000)
        supervisor.stop()
        try await run.value
        check(storm)
    }

    @Test(
        "coupled strategies: the same, in a hundred supervisors of ten",
        arguments: [Strategy.oneForAll, .restForOne]
    )
    func coupled(strategy: Strategy) async throws {
        let storm = Storm(failures: Storm.failures / 10)
        let inner = (0..<100).map { number in
            Supervisor("\(number)", strategy: strategy, intensity: .unlimited) {
                for place in 0..<10 { child(place, of: number, in: storm) }
            }
        }
        let supervisor = Supervisor(intensity: .unlimited) { inner }
        storm.watch(supervisor)
        let run = Task { try await supervisor.run() }
        await withTaskGroup(of: Void.self) { group in
            for number in [0, 33, 66, 99] {
                group.addTask { await manage(inner[number], 10, of: number, in: storm) }
            }
            await storm.over()
        }
        supervisor.stop()
        try await run.value
        check(storm)
    }

    @Test("dynamic: children are started and terminated by several while all of them fail")
    func dynamic() async throws {
        let storm = Storm(failures: Storm.failures / 10)
        let rooms = DynamicSupervisor("rooms", intensity: .unlimited, shutdown: .infinity) {
            (child, name: String) in try await storm.run(name, child)
        }
        let supervisor = Supervisor { rooms }
        storm.watch(supervisor)
        let trial = SupervisorTrial(supervisor)
        try await trial.started()
        await withTaskGroup(of: Void.self) { group in
            for caller in 0..<4 {
                group.addTask {
                    var children: [DynamicChild] = []
                    var number = 0
                    repeat {
                        number += 1
                        if let child = try? await rooms.startChild("\(caller)-\(number)") {
                            children.append(child)
                        }
                        if number % 3 == 0, let child = children.randomElement() {
                            #expect(await code { try await rooms.terminateChild(child) } == nil)
                        }
                    } while !storm.isOver || number < 250
                }
            }
        }
        #expect(try await rooms.countChildren().active <= storm.running.count)
        #expect(await trial.stop() == nil)
        check(storm)
    }

    private func child(_ place: Int, of supervisor: Int = 0, in storm: Storm) -> ChildSpec {
        let restarts: [Restart] = [.permanent, .permanent, .transient, .temporary]
        return storm.child("\(supervisor)/\(place)", id: "\(place)", restart: restarts[place % 4])
    }

    /// Asks a supervisor for everything that can be asked, in no order, until the storm is over.
    private func manage(_ supervisor: Supervisor, _ count: Int, of number: Int = 0, in storm: Storm) async {
        let expected: Set<SupervisorError.Code> = [
            .notRunning, .alreadyStarted, .alreadyPresent, .childNotFound, .childRunning, .childRestarting,
            .childFailedToStart,
        ]
        while !storm.isOver {
            let place = Int.random(in: 0..<count)
            let choice = Int.random(in: 0..<16)
            let call = Task {
                switch choice {
                case 0..<4: try await supervisor.terminateChild("\(place)")
                case 4..<9: try await supervisor.restartChild("\(place)")
                case 9..<12: try await supervisor.startChild(child(place, of: number, in: storm))
                case 12: try await supervisor.deleteChild("\(place)")
                case 13: _ = try await supervisor.whichChild("\(place)")
                case 14: _ = try await supervisor.countChildren()
                default: _ = await supervisor.snapshot(limit: 10)
                }
            }
            if place % 7 == 0 { call.cancel() }
            do {
                try await call.value
            } catch let error as SupervisorError {
                #expect(expected.contains(error.code), "\(error)")
            } catch {
                #expect(error is CancellationError && call.isCancelled, "\(error)")
            }
        }
    }

    private func check(_ storm: Storm) {
        #expect(storm.isOver)
        #expect(storm.doubled == [])
        #expect(storm.contradictions == [])
        #expect(storm.running == [])
    }
}
