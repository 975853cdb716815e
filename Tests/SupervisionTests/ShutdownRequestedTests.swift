import SupervisionTesting
import Testing

@testable import Supervision

/// How a body waits for its stop, by itself and by tasks of its own.
@Suite("Waiting to be told to stop", .timeLimit(.minutes(1)))
struct ShutdownRequestedTests {
    private let events = Recorder<String>()

    @Test(
        "all who wait are told of a stop, the body and others, and so is who asks later",
        arguments: [Shutdown.graceful(.seconds(5)), .timeout(.seconds(5)), .immediate]
    )
    func told(shutdown: Shutdown) async throws {
        let run = PlainRun(
            Supervisor {
                ChildSpec("waits", shutdown: shutdown) { [events] child in
                    child.started()
                    await withTaskGroup { tasks in
                        for number in 1...3 {
                            tasks.addTask {
                                await child.shutdownRequested()
                                events.add("task \(number)")
                            }
                        }
                        await child.shutdownRequested()
                        events.add("body")
                    }
                    await child.shutdownRequested()
                    events.add("again")
                }
            }
        )
        try await run.started()
        #expect(await run.stop() == nil)
        #expect(Set(events.all) == ["task 1", "task 2", "task 3", "body", "again"])
    }

    @Test("a body that is too slow to start is cancelled where it waits")
    func tooSlow() async {
        let run = PlainRun(
            Supervisor {
                ChildSpec("slow") { [events] child in
                    await child.shutdownRequested()
                    events.add("cancelled: \(Task.isCancelled), told: \(child.isShutdownRequested)")
                }
                .startTimeout(.seconds(30))
            }
        )
        await run.clock.sleeper(dueIn: .seconds(30))
        run.clock.advance(by: .seconds(30))
        #expect(await run.end()?.code == .childFailedToStart)
        #expect(events.all == ["cancelled: true, told: false"])
    }

    @Test("so is one that has not started when it is told to stop, and it need not ask first")
    func stoppedWhileStarting() async throws {
        let run = PlainRun(
            Supervisor {
                ChildSpec("slow", shutdown: .graceful(.seconds(5))) { [events] child in
                    events.add("begun")
                    await child.shutdownRequested()
                    events.add("cancelled: \(Task.isCancelled), told: \(child.isShutdownRequested)")
                }
            }
        )
        await events.wait(for: "begun")
        #expect(await run.stop() == nil)
        #expect(events.all == ["begun", "cancelled: true, told: true"])
    }

    @Test("a body that has cancelled itself waits for nothing")
    func cancelsItself() async throws {
        let run = PlainRun(
            Supervisor {
                ChildSpec("cancels", restart: .temporary) { [events] child in
                    child.started()
                    await Task.yield()
                    withUnsafeCurrentTask { $0?.cancel() }
                    await child.shutdownRequested()
                    events.add("told: \(child.isShutdownRequested)")
                }
            }
        )
        await events.wait(for: "told: false")
        #expect(await run.stop() == nil)
    }

    @Test("a task of the body's that is cancelled goes on, and the body waits as before")
    func cancelsOneOfItsTasks() async throws {
        let run = PlainRun(
            Supervisor {
                ChildSpec("waits") { [events] child in
                    child.started()
                    await withTaskGroup { tasks in
                        tasks.addTask {
                            events.add("waiting")
                            await child.shutdownRequested()
                            events.add("task, told: \(child.isShutdownRequested)")
                        }
                        await events.wait(for: "waiting")
                        tasks.cancelAll()
                    }
                    await child.shutdownRequested()
                    events.add("body, told: \(child.isShutdownRequested)")
                }
            }
        )
        await events.wait(for: "task, told: false")
        #expect(try await run.supervisor.countChildren().active == 1)
        #expect(await run.stop() == nil)
        #expect(events.all == ["waiting", "task, told: false", "body, told: true"])
    }

    @Test("who waits for a child that has ended without being told goes on when it is cancelled itself")
    func hasEnded() async throws {
        guard #available(macOS 26, *) else { return }
        let contexts = Recorder<ChildContext>()
        let run = PlainRun(
            Supervisor {
                ChildSpec("brief", restart: .temporary) { (child: ChildContext) in
                    child.started()
                    contexts.add(child)
                }
            }
        )
        await contexts.wait(forCount: 1)
        let child = contexts.all[0]
        let waits = Task.immediate {
            // A later task may be where that of the body was: as if this were one.
            _ = child.takeBody(runBy: .current)
            _ = child.end()
            await child.shutdownRequested()
        }
        waits.cancel()
        await waits.value
        #expect(await run.stop() == nil)
    }
}
