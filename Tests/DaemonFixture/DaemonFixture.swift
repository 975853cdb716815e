import DaemonKit
import Foundation
import Synchronization

/// A daemon for tests that need a real process: it echoes, and goes wrong in the way its first argument says.
@main
struct DaemonFixture: Daemon {
    private var mode: String { CommandLine.arguments.dropFirst().first ?? "serve" }

    static func main() {
        _ = ServiceEnvironment.take()
        let daemon = Self()
        if Blocking.Mode(rawValue: daemon.mode) != nil { daemon.launch(stopMargin: Blocking.margin) }
        daemon.launch()
    }

    var supervisor: Supervisor {
        if let mode = Blocking.Mode(rawValue: mode) { return Blocking.tree(mode) }
        return Supervisor(strategy: .oneForOne) {
            Listener("echo", fallback: .port(fromVariable: "PORT", default: 7777)) { connection in
                connection.onDrain { connection.shutdownRead() }
                while case let bytes = try await connection.read(), !bytes.isEmpty {
                    try await connection.write(bytes)
                }
            }
            trouble
            ReadyMarker()
            StatusSetter(onShutdown: "drained")
            Drainer(shutdown: .seconds(10))
            StatusSetter(onShutdown: "draining")
        }
    }

    @ChildBuilder private var trouble: [ChildSpec] {
        switch mode {
        case "fail-to-start":
            ChildSpec("database") { (_: ChildContext) in
                throw Trouble(description: "no database at /nowhere", errorNumber: ENOENT)
            }
        case "slow-start":
            // Takes until it is told to, so that the start is under way for as long as a check likes.
            ChildSpec("migration") { (_: ChildContext) in try await Self.hangUp() }
        case "limited-start":
            // The same, and the tree has a limit for it.
            ChildSpec("migration") { (_: ChildContext) in try await Self.hangUp() }
                .startTimeout(.seconds(6))
        case "give-up":
            // Fails for ever from when it is told to, so that the start is over by then.
            ChildSpec("worker") {
                if !Self.isBroken.load(ordering: .relaxed) { try await Self.hangUp() }
                Self.isBroken.store(true, ordering: .relaxed)
                throw Trouble(description: "bad sector", errorNumber: EIO)
            }
        case "ignore-stop":
            ChildSpec("stubborn", shutdown: .timeout(.milliseconds(200))) {
                await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
            }
        case "block-pool":
            ChildSpec("blocker") {
                try await Self.hangUp()
                await withDiscardingTaskGroup { group in
                    for _ in 0..<256 { group.addTask { while true { sleep(1_000) } } }
                }
            }
        case "keep":
            // Counts its starts in the manager's store, and says what of it the manager has acted upon.
            ChildSpec("counter") { child in
                let notifier = child.daemon.notifier
                let store = child.daemon.store
                let taken = store.take(named: "starts", as: .file)
                let starts = try (taken.first.map { try SealedMemory.read($0) }?.first ?? 0) + 1
                for descriptor in taken { close(descriptor) }
                try store.remove(named: "starts")
                try store.put(SealedMemory([starts]), named: "starts")
                let outcome = await notifier.barrier(timeout: .seconds(60))
                Self.say("start \(starts) of \(store.limit.map(String.init) ?? "any"), \(outcome)")
                child.started()
                try await Self.hangUp()
                try store.remove(named: "starts")
                Self.say("removed, \(await notifier.barrier(timeout: .seconds(60)))")
                await child.shutdownRequested()
            }
        case "hand-over":
            Lines.switchboard
            Lines.listener
        case "keep-socket":
            Keeping.greeter(fallback: .port(7779))
        case "keep-local-socket":
            Keeping.greeter(fallback: .host("127.0.0.1", port: 7779))
        case "pressure":
            Pressure.memory
            Pressure.cpu
            // Nothing before it is told to.
            ChildSpec("spinner") { child in
                child.started()
                try await Self.hangUp()
                Pressure.rise()
                await child.shutdownRequested()
            }
        case "trigger":
            // Has the manager act as if a sign of life had been missed.
            ChildSpec("suicide") { child in
                child.started()
                try await Self.hangUp()
                child.daemon.notifier.send(.watchdogTrigger)
                await child.shutdownRequested()
            }
        case "reset":
            // Has the manager forget its restarts.
            ChildSpec("well") { child in
                child.started()
                try await Self.hangUp()
                child.daemon.notifier.send(.restartReset)
                Self.say("reset, \(await child.daemon.notifier.barrier(timeout: .seconds(60)))")
                await child.shutdownRequested()
            }
        case "environment":
            // Which of the manager's variables and descriptors a program started from here sees.
            ChildSpec("reporter", restart: .temporary) {
                let shell = Process()
                shell.executableURL = URL(fileURLWithPath: "/bin/sh")
                shell.arguments = ["-c", "env | grep -E '^(LISTEN_|NOTIFY_|WATCHDOG_)'; ls -l /proc/self/fd"]
                try shell.run()
                shell.waitUntilExit()
            }
        case "reload":
            // A reload that fails for as long as a file is there, so that a check can have it both ways.
            ChildSpec("config") { child in
                child.onReload {
                    FileHandle.standardError.write(Data("config is read again\n".utf8))
                    if FileManager.default.fileExists(atPath: "/run/fixture.broken") {
                        throw Trouble(description: "no port in line 3")
                    }
                }
                child.started()
                await child.shutdownRequested()
            }
        case "health":
            // Well until it is told to be otherwise.
            ChildSpec("patient") { child in
                child.healthCheck { !FileManager.default.fileExists(atPath: "/run/fixture.broken") }
                child.started()
                await child.shutdownRequested()
            }
        case "orders":
            Orders.clerk
            Orders.listener
        case "orders-while-starting":
            Orders.clerk
            Orders.listener
            // Takes until it is told to, as above.
            ChildSpec("migration") { (_: ChildContext) in try await Self.hangUp() }
        case "outcome":
            // Says what became of a service, as a command that is run after it, and ends.
            ChildSpec("reporter") { child in
                let environment = child.daemon.environment
                if let outcome = environment.outcome { Self.say("ended: \(outcome)") }
                if let unit = environment.monitoredUnit { Self.say("started by the end of: \(unit)") }
                for problem in environment.problems { Self.say("\(problem)") }
                child.started()
                child.daemon.stop()
                await child.shutdownRequested()
            }
        case "journal":
            Reports.journal
        case "facts":
            Reports.facts
        default:
            []
        }
    }

    private static let isBroken = Atomic(false)

    private static func say(_ line: String) {
        FileHandle.standardError.write(Data("\(line)\n".utf8))
    }

    /// Waits for a SIGHUP, and says when it does: one that came earlier would end the process.
    private static func hangUp() async throws {
        signal(SIGHUP, SIG_IGN)
        // Dispatch's objects may be used from any thread, and this one only by its handlers and the cancellation.
        nonisolated(unsafe) let source = DispatchSource.makeSignalSource(signal: SIGHUP)
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                source.setRegistrationHandler {
                    say("waiting for SIGHUP")
                }
                source.setEventHandler { source.cancel() }
                source.setCancelHandler { continuation.resume() }
                source.activate()
            }
        } onCancel: {
            source.cancel()
        }
        try Task.checkCancellation()
    }
}

struct Trouble: ErrnoCarrying, CustomStringConvertible {
    var description: String
    var errorNumber: CInt?
}
