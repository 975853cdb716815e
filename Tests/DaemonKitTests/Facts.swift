import SupervisionLock

@testable import DaemonKit

/// What happened in a test, and waiting for it.
final class Facts: Sendable {
    private struct State {
        var facts: [String] = []
        var watchers: [(fact: String, count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Locked(State())

    var all: [String] { state.withLock { $0.facts } }

    func add(_ fact: String) {
        let satisfied = state.withLock { state in
            state.facts.append(fact)
            let count = state.facts.count { $0 == fact }
            let satisfied = state.watchers.filter { $0.fact == fact && $0.count <= count }
            state.watchers.removeAll { $0.fact == fact && $0.count <= count }
            return satisfied.map(\.continuation)
        }
        for continuation in satisfied { continuation.resume() }
    }

    func wait(for fact: String, count: Int = 1) async {
        await withCheckedContinuation { continuation in
            let hasHappened = state.withLock { state in
                guard state.facts.count(where: { $0 == fact }) < count else { return true }
                state.watchers.append((fact, count, continuation))
                return false
            }
            if hasHappened { continuation.resume() }
        }
    }
}

/// Something that is waited for until it is opened.
final class Gate: Sendable {
    private let stream = AsyncStream.makeStream(of: Never.self)

    func open() { stream.continuation.finish() }

    /// Returns when the gate has been opened; throws when the task is cancelled.
    func wait() async throws {
        for await _ in stream.stream {}
        try Task.checkCancellation()
    }
}

/// Where the listeners of a tree listen, told by a child below them.
final class Places: Sendable {
    private let found = Locked<[String: [SocketAddress]]>([:])

    var child: ChildSpec {
        ChildSpec("places") { [self] child in
            for listener in child.daemon.listeners.active([]) {
                found.withLock { $0[listener.name] = listener.addresses }
            }
            child.started()
            await child.shutdownRequested()
        }
    }

    func address(of name: String) -> SocketAddress? {
        found.withLock { $0[name]?.first }
    }
}
