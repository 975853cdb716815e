import Supervision
import SupervisionLock

/// All health checks of a tree, made once.
final class HealthRound: Sendable {
    private struct State {
        var pending: Set<Int> = []
        var problems: [Int: String] = [:]
        var isOver = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let handlers: [HandlerRegistry<HealthProbe>.Handler]
    private let state: Locked<State>

    init(_ handlers: [HandlerRegistry<HealthProbe>.Handler]) {
        self.handlers = handlers
        state = Locked(State(pending: Set(handlers.map(\.number))))
    }

    /// Makes the checks.
    ///
    /// - Parameters:
    ///   - limit: How long to wait for their answers.
    ///   - clock: What that is measured on.
    /// - Returns: What is wrong, child by child in the order of the tree.
    func problems(within limit: Duration, on clock: any Clock<Duration>) async -> [String] {
        guard !handlers.isEmpty else { return [] }
        for handler in handlers {
            handler.call.start { [self] problem in answered(handler.number, problem) }
        }
        let timer = Task {
            try await clock.sleep(for: limit)
            end()
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if !state.isOver { state.waiter = continuation }
                    return state.isOver
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            end()
        }
        timer.cancel()
        let (pending, problems) = state.withLock { ($0.pending, $0.problems) }
        return handlers.compactMap { handler in
            if pending.contains(handler.number) { return "\(handler.path) has not answered in \(limit)" }
            return problems[handler.number].map { "\(handler.path) \($0)" }
        }
    }

    private func answered(_ number: Int, _ problem: String?) {
        let isLast = state.withLock { state in
            guard !state.isOver else { return false }
            state.pending.remove(number)
            state.problems[number] = problem
            return state.pending.isEmpty
        }
        if isLast { end() }
    }

    private func end() {
        let waiter = state.withLock { state in
            state.isOver = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }
}
