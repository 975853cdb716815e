import Supervision
import SupervisionLock
import SupervisionTesting

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Children that fail until so many failures have come together, and what must be true of them meanwhile.
final class Storm: Sendable {
    private struct State {
        var running: Set<String> = []
        var starts: [String: Int] = [:]
        /// Whether the tree has started: nobody fails before that.
        var isOpen = false
        var waiting: [String: CheckedContinuation<Void, Never>] = [:]
        var failuresLeft: Int
        var doubled: [String] = []
        var watchers: [CheckedContinuation<Void, Never>] = []
        /// What the events tell of each child: that a copy has begun and not ended.
        var begun: Set<ChildPath> = []
        var contradictions: [String] = []
    }

    private let state: Locked<State>

    init(failures: Int) {
        state = Locked(State(failuresLeft: failures))
    }

    /// How many failures the whole storm has: a tenth of it, unless `STORM_FAILURES` says otherwise.
    static var failures: Int {
        getenv("STORM_FAILURES").flatMap { Int(String(cString: $0)) } ?? 3_000
    }

    var isOver: Bool { state.withLock { $0.failuresLeft == 0 } }
    var running: Set<String> { state.withLock(\.running) }
    var doubled: [String] { state.withLock(\.doubled) }
    var contradictions: [String] { state.withLock(\.contradictions) }

    /// Waits until there have been that many failures.
    func over() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.failuresLeft > 0 { state.watchers.append(continuation) }
                return state.failuresLeft == 0
            }
            if isOver { continuation.resume() }
        }
    }

    /// The child of that name: fails before it has started, when it has, or somewhat later.
    func child(_ name: String, id: String, restart: Restart) -> ChildSpec {
        ChildSpec(id, restart: restart, shutdown: .infinity) { [self] child in
            try await run(name, child)
        }
    }

    func run(_ name: String, _ child: ChildContext) async throws {
        let starts = enter(name)
        defer { leave(name) }
        if state.withLock(\.isOpen), starts % 5 == 0, takeFailure() {
            throw InjectedFailure("before it has started")
        }
        child.started()
        await opening(name)
        if starts % 3 == 0 { await Task.yield() }
        if takeFailure() { throw InjectedFailure("after it has started") }
        await child.shutdownRequested()
    }

    private func enter(_ name: String) -> Int {
        state.withLock { state in
            if !state.running.insert(name).inserted { state.doubled.append(name) }
            state.starts[name, default: 0] += 1
            return state.starts[name] ?? 0
        }
    }

    /// Waits until the tree has started.
    private func opening(_ name: String) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard !state.isOpen, !Task.isCancelled else { return true }
                    state.waiting[name] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: name) }?.resume()
        }
    }

    private func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        for continuation in waiting { continuation.resume() }
    }

    private func leave(_ name: String) {
        state.withLock { _ = $0.running.remove(name) }
    }

    private func takeFailure() -> Bool {
        let (isTaken, watchers) = state.withLock { state -> (Bool, [CheckedContinuation<Void, Never>]) in
            guard state.failuresLeft > 0 else { return (false, []) }
            state.failuresLeft -= 1
            guard state.failuresLeft == 0 else { return (true, []) }
            defer { state.watchers = [] }
            return (true, state.watchers)
        }
        for watcher in watchers { watcher.resume() }
        return isTaken
    }

    /// Begins when the tree has started, and checks that each copy of a child begins after the one before has
    /// ended, as the events tell it.
    func watch(_ supervisor: Supervisor) {
        supervisor.readEvents { [self] event in
            if case .started = event.kind, event.supervisor.ids.isEmpty { open() }
            guard let child = event.child else { return }
            state.withLock { state in
                switch event.kind {
                case .childStarting:
                    if !state.begun.insert(child).inserted {
                        state.contradictions.append("\(child) begins again")
                    }
                case .childIgnored, .childEnded, .childStopped:
                    // One that is terminated while it waits is stopped without having run.
                    state.begun.remove(child)
                case .childAbandoned:
                    state.contradictions.append("\(event)")
                default:
                    break
                }
            }
        }
    }
}
