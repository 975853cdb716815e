import Supervision
import SupervisionTesting
import Testing

@Suite("Supervisor: start")
struct SupervisorStartTests {
    @Test("each child starts only after the one above has started")
    func handshake() async {
        let (first, second) = (Probe("first", start: .whenTold), Probe("second"))
        let trial = Trial(
            Supervisor {
                first; second
            }
        )
        await first.wait(for: .begun)
        #expect(await trial.supervisor.ping())
        #expect(second.facts == [], "launched is not started")
        first.start()
        await second.wait(for: .started)
        trial.supervisor.stop()
        #expect(await trial.error() == nil)
    }

    @Test("a failing start stops the earlier children in reverse and says which child failed and why")
    func failing() async {
        let trial = Trial(
            Supervisor {
                Probe("a")
                Probe("b")
                Probe("c", start: .failing(Failure("no disk")))
                Probe("d")
            }
        )
        let error = await trial.error()
        #expect(error?.code == .childFailedToStart)
        #expect(error?.path == ["c"])
        #expect(error?.underlying as? Failure == Failure("no disk"))
        #expect(error?.description == "child \"c\" failed to start: no disk")
        #expect(
            trial.lines(from: "c starting") == [
                "c starting", "c failed: no disk", "supervisor stopping: c failed to start: no disk",
                "b stopping", "b stopped", "a stopping", "a stopped", "supervisor stopped",
            ]
        )
    }

    @Test("a body without a context counts as started when it runs, and is cancelled at the end")
    func plainBody() async {
        let trial = Trial(
            Supervisor {
                ChildSpec("plain") { try await TestClock().sleep(for: .seconds(1)) }
            }
        )
        await trial.up()
        trial.supervisor.stop()
        #expect(await trial.error() == nil)
        #expect(trial.recorder.lines.contains("plain stopped"))
    }

    @Test("a child that returns before it has started has done its work, and is passed over")
    func ignored() async {
        let trial = Trial(
            Supervisor {
                ChildSpec("migration") { (_: ChildContext) in }
                Probe("server")
            }
        )
        await trial.up()
        trial.supervisor.stop()
        #expect(await trial.error() == nil)
        #expect(
            trial.recorder.lines.prefix(4) == [
                "supervisor starting", "migration starting", "migration done, nothing to run",
                "server starting",
            ]
        )
    }

    @Test("reporting twice, or after the end, does nothing")
    func reportedTwice() async {
        let contexts = AsyncStream.makeStream(of: ChildContext.self)
        let trial = Trial(
            Supervisor {
                ChildSpec("child", restart: .temporary) { child in
                    child.started()
                    child.started()
                    contexts.continuation.yield(child)
                }
                Probe("next")
            }
        )
        await trial.up()
        for await context in contexts.stream {
            context.started()
            break
        }
        #expect(await trial.supervisor.ping())
        trial.supervisor.stop()
        #expect(await trial.error() == nil)
        #expect(trial.recorder.lines.count { $0 == "child started" } == 1)
    }

    @Test("everything that is wrong with a tree is told before anything starts")
    func invalid() async {
        let probe = Probe("a")
        let nested = Supervisor("nested") { Probe("x") }
        let supervisor = Supervisor(intensity: .init(maxRestarts: -1, within: .zero)) {
            probe
            Probe("a")
            Probe("")
            Probe("late", shutdown: .graceful(.seconds(-1)))
            nested
            Supervisor("other") { nested }
            Supervisor("deep") {
                Probe("x", shutdown: .timeout(.seconds(-2))); Probe("x")
            }
        }
        let trial = Trial(supervisor)
        let error = await trial.error()
        #expect(error?.code == .invalidTree)
        #expect(
            error?.details == [
                "the top supervisor allows -1 restarts: it must be 0 or more",
                "the top supervisor counts restarts within 0.0 seconds: it must be above zero",
                "the top supervisor has several children called \"a\": give each an id of its own",
                "the top supervisor has a child whose id is empty: every child needs a name",
                "child \"late\" has a shutdown of -1.0 seconds: it must be zero or more",
                "supervisor \"other/nested\" stands in the tree twice: make one for each place",
                "child \"deep/x\" has a shutdown of -2.0 seconds: it must be zero or more",
                "supervisor \"deep\" has several children called \"x\": give each an id of its own",
            ]
        )
        #expect(probe.facts == [])
        #expect(trial.recorder.lines == [])
    }

    @Test("a supervisor runs once at a time, and can run again")
    func onceAtATime() async throws {
        let trial = Trial(Supervisor { Probe("a") })
        await trial.up()
        let error = await #expect(throws: SupervisorError.self) { try await trial.supervisor.run() }
        #expect(error?.code == .alreadyRunning)
        trial.supervisor.stop()
        #expect(await trial.error() == nil)

        trial.supervisor.stop()
        try await trial.supervisor.run()
    }

    @TaskLocal static var trace = "none"

    @Test("children inherit the task-local values of the task that runs the tree, restarted ones too")
    func taskLocals() async {
        let seen = AsyncStream.makeStream(of: String.self)
        let trial = Self.$trace.withValue("outer") {
            Trial(
                Supervisor(clock: TestClock()) {
                    ChildSpec("child") { child in
                        seen.continuation.yield(Self.trace)
                        try await Self.$trace.withValue("inner") {
                            child.started()
                            await Task.yield()
                            if Self.trace == "inner" { throw Failure() }
                        }
                    }
                }
            )
        }
        _ = await trial.error()
        seen.continuation.finish()
        #expect(await seen.stream.reduce(into: []) { $0.append($1) } == ["outer", "outer", "outer", "outer"])
    }
}
