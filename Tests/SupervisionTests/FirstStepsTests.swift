import Foundation
import Supervision
import SupervisionTesting
import Testing

/// What a child does before it first suspends is done on the thread of its supervisor.
///
/// Those that keep it run in processes of their own: the pool may have two threads and no more.
@Suite("Supervisor: a child's first steps", .timeLimit(.minutes(1)))
struct FirstStepsTests {
    @Test("a child that blocks its thread once it has started holds up neither the next nor the stop")
    func blocksAfterStarted() async {
        await #expect(processExitsWith: .success) {
            let thread = BlockedThread()
            let next = Probe("next")
            let trial = PlainRun(
                Supervisor {
                    ChildSpec("blocks") { child in
                        child.started()
                        thread.block()
                    }
                    next
                }
            )
            try await trial.started()
            trial.supervisor.stop()
            try await trial.story.wait(for: .stop(of: "next"))
            try await trial.story.wait(forBeginOf: .stop(of: "blocks"))
            thread.free()
            #expect(await trial.end() == nil)
        }
    }

    @Test("one that blocks its thread while it starts can be given up, and the tree says which it was")
    func blocksWhileStarting() async {
        await #expect(processExitsWith: .success) {
            let thread = BlockedThread()
            let trial = PlainRun(
                Supervisor {
                    Probe("above")
                    ChildSpec("blocks", shutdown: .timeout(.seconds(1))) { child in
                        thread.block()
                        child.started()
                    }
                }
            )
            try await trial.story.wait(forBeginOf: .start(of: "blocks"))
            trial.supervisor.stop()
            await trial.clock.sleeper(dueIn: .seconds(1))
            trial.clock.advance(by: .seconds(1))
            let error = await trial.end()
            #expect(error?.code == .childrenAbandoned)
            #expect(error?.abandoned == ["blocks"])
            thread.free()
        }
    }

    @Test("the same below a supervisor below the top")
    func blocksBelow() async {
        await #expect(processExitsWith: .success) {
            let thread = BlockedThread()
            let trial = PlainRun(
                Supervisor {
                    Supervisor("inner") {
                        ChildSpec("blocks", shutdown: .timeout(.seconds(1))) { child in
                            thread.block()
                            child.started()
                        }
                    }
                }
            )
            try await trial.story.wait(forBeginOf: .start(of: "inner/blocks"))
            trial.supervisor.stop()
            await trial.clock.sleeper(dueIn: .seconds(1))
            trial.clock.advance(by: .seconds(1))
            #expect(await trial.end()?.abandoned == ["inner/blocks"])
            thread.free()
        }
    }

    @Test("one that never suspends, and looks whether it is cancelled, is heard to end when it is stopped")
    func polls() async {
        await #expect(processExitsWith: .success) {
            let trial = PlainRun(
                Supervisor {
                    ChildSpec("polls", shutdown: .infinity) { child in
                        while !Task.isCancelled {}
                        child.started()
                    }
                }
            )
            try await trial.story.wait(forBeginOf: .start(of: "polls"))
            #expect(await trial.stop() == nil)
        }
    }

    @Test("one that never suspends is cancelled when its time to start is up")
    func pollsTooLong() async {
        await #expect(processExitsWith: .success) {
            let trial = PlainRun(
                Supervisor {
                    ChildSpec("polls") { (child: ChildContext) in
                        while !Task.isCancelled {}
                    }
                    .startTimeout(.seconds(30))
                }
            )
            await trial.clock.sleeper(dueIn: .seconds(30))
            trial.clock.advance(by: .seconds(30))
            #expect(await trial.end()?.code == .childFailedToStart)
        }
    }

    @Test("what is asked of the supervisor meanwhile is answered")
    func answers() async {
        await #expect(processExitsWith: .success) {
            let thread = BlockedThread()
            let trial = PlainRun(
                Supervisor {
                    Probe("above")
                    ChildSpec("blocks") { thread.block() }
                }
            )
            try await trial.started()
            #expect(try await trial.supervisor.countChildren().active == 2)
            trial.supervisor.stop()
            try await trial.story.wait(forBeginOf: .stop(of: "blocks"))
            thread.free()
            #expect(await trial.end() == nil)
        }
    }

    @Test("a child's task inherits what is local to the task that runs the supervisor, however it was begun")
    func taskLocals() async {
        await #expect(processExitsWith: .success) {
            let thread = BlockedThread()
            let seen = Recorder<String>()
            await Marks.$mark.withValue("ours") {
                let trial = PlainRun(
                    Supervisor {
                        ChildSpec("first") { child in
                            seen.add(Marks.mark)
                            child.started()
                            thread.block()
                            await child.shutdownRequested()
                        }
                        // Begun by another task than the first, which keeps the one that began it.
                        ChildSpec("second") { child in
                            seen.add(Marks.mark)
                            child.started()
                            await child.shutdownRequested()
                        }
                    }
                )
                try? await trial.started()
                thread.free()
                _ = await trial.stop()
            }
            #expect(seen.all == ["ours", "ours"])
        }
    }

    @Test("what is started as another one ends inherits nothing from that one")
    func inheritsNothing() async throws {
        let seen = Recorder<String>()
        let (fails, isBack) = (Gate(), Gate())
        let supervisor = Supervisor {
            ChildSpec("fails") { child in
                seen.add(Marks.mark)
                withUnsafeCurrentTask {
                    seen.add($0?.unownedTaskExecutor == nil ? "no executor" : "an executor")
                }
                child.started()
                try await Marks.$mark.withValue("the child's") {
                    guard seen.all.count == 2 else { return isBack.open() }
                    await fails.wait()
                    throw InjectedFailure()
                }
                await child.shutdownRequested()
            }
        }
        try await Marks.$mark.withValue("ours") {
            let trial = PlainRun(supervisor)
            // From here on the first one waits: it does not end in its first steps.
            try await trial.started()
            fails.open()
            await isBack.wait()
            #expect(await trial.stop() == nil)
        }
        #expect(seen.all == ["ours", "no executor", "ours", "no executor"])
    }

    @Test("a child that blocks its thread as it is started again holds up nobody but the one before")
    func blocksAgain() async {
        await #expect(processExitsWith: .success) {
            let (thread, fails, blocks) = (BlockedThread(), Gate(), Gate())
            let copies = Recorder<Int>()
            let supervisor = Supervisor {
                Probe("above")
                ChildSpec("blocks") { child in
                    copies.add(0)
                    child.started()
                    if copies.all.count == 1 {
                        await fails.wait()
                        throw InjectedFailure()
                    }
                    blocks.open()
                    thread.block()
                    await child.shutdownRequested()
                }
            }
            let trial = PlainRun(supervisor)
            try await trial.started()
            fails.open()
            await blocks.wait()
            #expect(try await supervisor.startChild(Probe("late")) == .started)
            thread.free()
            #expect(await trial.stop() == nil)
        }
    }

    @Test("one that keeps its thread until it fails, again and again, is not begun on top of itself")
    func failsLate() async {
        await #expect(processExitsWith: .success) {
            let thread = BlockedThread()
            let depths = Recorder<Int>()
            let supervisor = Supervisor(intensity: .unlimited) {
                ChildSpec("fails") { child in
                    child.started()
                    guard depths.all.count < 20 else { return await child.shutdownRequested() }
                    depths.add(Thread.callStackReturnAddresses.count)
                    thread.block()
                    throw InjectedFailure()
                }
            }
            let trial = PlainRun(supervisor)
            try await trial.started()
            for count in 1...20 {
                await depths.wait(forCount: count)
                // Answered by another task than the one that began the child.
                _ = try await supervisor.countChildren()
                thread.free()
            }
            #expect(await trial.stop() == nil)
            // One that is begun below another has some ten frames more than that.
            #expect((depths.all.max() ?? 0) - (depths.all.min() ?? 0) < 20)
        }
    }

    @Test("a child that blocks its thread holds up whoever asked for it, and nobody else")
    func blocksItsCaller() async {
        await #expect(processExitsWith: .success) {
            let (thread, blocks) = (BlockedThread(), Gate())
            let rooms = DynamicSupervisor("rooms") { (child, isBlocking: Bool) in
                if isBlocking {
                    blocks.open()
                    thread.block()
                }
                child.started()
                await child.shutdownRequested()
            }
            let trial = PlainRun(Supervisor { rooms })
            try await trial.started()
            let blocked = Task { try await rooms.startChild(true) }
            await blocks.wait()
            #expect(try await rooms.startChild(false)?.number == 1)
            #expect(try await rooms.countChildren().active == 2)
            thread.free()
            #expect(try await blocked.value?.number == 0)
            #expect(await trial.stop() == nil)
        }
    }

    @Test("a child that fails before it first suspends, again and again, leaves room for others")
    func failsAtOnce() async throws {
        let restarts = Recorder<Int>()
        let reached = Gate()
        let supervisor = Supervisor(intensity: .unlimited) {
            ChildSpec("fails") { child in
                child.started()
                restarts.add(0)
                if restarts.all.count == 1_000 { reached.open() }
                throw InjectedFailure()
            }
        }
        let run = Task { try await supervisor.run() }
        await reached.wait()
        #expect(try await supervisor.whichChildren().count == 1)
        supervisor.stop()
        try await run.value
    }
}

private enum Marks {
    @TaskLocal static var mark = "none"
}

/// A thread that a child blocks until the test lets it go.
private final class BlockedThread: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func block() { semaphore.wait() }

    func free() { semaphore.signal() }
}
