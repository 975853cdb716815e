import SupervisionLock
import SupervisionTesting
import Systemd

@testable import DaemonKit

/// A daemon run inside the test, under a fake service manager on a real socket.
final class DaemonTrial: Sendable {
    struct Tree: Daemon {
        var make: @Sendable () throws -> Supervisor
        init() { make = { Supervisor {} } }
        init(_ make: @escaping @Sendable () throws -> Supervisor) { self.make = make }
        var supervisor: Supervisor { get throws { try make() } }
    }

    let manager: FakeServiceManager
    let run: DaemonRun
    let cutShort = Recorder<StopSignal>()
    let logged = Recorder<String>()

    private let task: Task<DaemonRun.End, Never>

    /// Runs a tree as the service's next process: with what the manager has kept, behind a socket unit's sockets.
    convenience init(
        next manager: FakeServiceManager,
        sockets: [PassedDescriptor] = [],
        _ tree: @escaping @Sendable () throws -> Supervisor
    ) throws {
        let passed = sockets + (try manager.handOverStored())
        // No descriptors at all, and no variables for them, is another matter than none of them.
        guard !passed.isEmpty else {
            try self.init(manager: manager, tree)
            return
        }
        let moved = try PassedSockets(moving: passed)
        try self.init(manager: manager, variables: moved.variables, firstDescriptor: moved.first, tree)
    }

    /// Runs a tree, with these variables besides those of the manager.
    init(
        manager: FakeServiceManager? = nil,
        variables: [String: String] = [:],
        signals: [StopSignal] = [],
        firstDescriptor: CInt = 3,
        patience: Duration = .seconds(1),
        clock: TestClock = TestClock(),
        _ tree: @escaping @Sendable () throws -> Supervisor
    ) throws {
        let manager = try manager ?? FakeServiceManager()
        self.manager = manager
        let environment = ServiceEnvironment(
            variables: variables.merging(manager.variables) { mine, _ in mine },
            firstDescriptor: firstDescriptor
        )
        let run = DaemonRun(
            environment: environment,
            log: DaemonLog { [logged] priority, text in
                for line in priority.prefixed(text).split(separator: "\n") { logged.add(String(line)) }
            },
            patience: patience,
            clock: clock,
            cutShort: { [cutShort] in cutShort.add($0) }
        )
        self.run = run
        for signal in signals { run.receive(signal) }
        task = Task { await run.run(Tree(tree)) }
    }

    /// Waits for the end of the run.
    func end() async -> DaemonRun.End {
        await task.value
    }

    /// Ends it as a signal does, and waits for that.
    func stop() async -> ExitCode {
        run.receive(.terminate)
        return await end().code
    }

    /// Every line that the manager has received so far.
    var lines: [String] {
        manager.received.flatMap(\.lines)
    }

    /// What was received, and in which order, without the signs of life and what only buys time.
    var story: [String] {
        lines.filter { !$0.hasPrefix("WATCHDOG") && !$0.hasPrefix("EXTEND_TIMEOUT_USEC") }
    }
}

/// Keeps what it is given.
final class Recorder<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Locked(State())

    func add(_ element: Element) {
        let satisfied = state.withLock { state in
            state.elements.append(element)
            let count = state.elements.count
            let satisfied = state.watchers.filter { $0.count <= count }
            state.watchers.removeAll { $0.count <= count }
            return satisfied.map(\.continuation)
        }
        for continuation in satisfied { continuation.resume() }
    }

    var all: [Element] { state.withLock { $0.elements } }

    /// Waits until it has been given that many.
    func wait(forCount count: Int) async {
        await withCheckedContinuation { continuation in
            let hasThem = state.withLock { state in
                guard state.elements.count < count else { return true }
                state.watchers.append((count, continuation))
                return false
            }
            if hasThem { continuation.resume() }
        }
    }
}

struct Failure: Error, Hashable, CustomStringConvertible {
    var description: String
    init(_ description: String = "broken") { self.description = description }
}

struct SystemFailure: ErrnoCarrying, CustomStringConvertible {
    var errorNumber: CInt?
    var description: String { "the system refused" }
}
