import Supervision
import SupervisionLock
import Systemd

/// Reloads the daemon when it is told to, one reload at a time.
///
/// The manager hears of the beginning (`RELOADING=1`, with the time as `MONOTONIC_USEC`) and of the end (`READY=1`,
/// also of one that failed: it would wait for it otherwise). What is asked for during a reload is done once more
/// afterwards; before the service is ready, when it is. Once it stops there is nothing to reload any more, and whoever
/// has not been called by then is not.
final class Reloader: Sendable {
    private enum Phase {
        case early
        case idle
        case reloading(Task<Void, Never>)
        case over
    }

    private struct State {
        var phase = Phase.early
        var isWanted = false
    }

    private let handlers: HandlerRegistry<ReloadHandler>
    private let notifier: Notifier
    private let log: DaemonLog
    private let state = Locked(State())

    init(_ handlers: HandlerRegistry<ReloadHandler>, notifier: Notifier, log: DaemonLog) {
        self.handlers = handlers
        self.notifier = notifier
        self.log = log
    }

    /// Wants a reload.
    func reload() {
        let answer: String? = state.withLock { state in
            switch state.phase {
            case .early:
                state.isWanted = true
                return "SIGHUP: reloading when the service is ready"
            case .idle:
                state.isWanted = true
                beginIfWanted(&state)
                return nil
            case .reloading:
                state.isWanted = true
                return "SIGHUP: reloading once more after this reload"
            case .over:
                return "SIGHUP: not reloading, the service stops"
            }
        }
        if let answer { log.write(.info, answer) }
    }

    /// The service is ready.
    func becameReady() {
        state.withLock { state in
            guard case .early = state.phase else { return }
            state.phase = .idle
            beginIfWanted(&state)
        }
    }

    /// The service begins to stop: a reload that is under way is cancelled.
    func end() {
        let task: Task<Void, Never>? = state.withLock { state in
            defer { state.phase = .over }
            if case .reloading(let task) = state.phase { return task }
            return nil
        }
        task?.cancel()
    }

    private func beginIfWanted(_ state: inout State) {
        guard state.isWanted else { return }
        state.isWanted = false
        log.write(.info, "SIGHUP: reloading")
        // Here, and not by the task: that may come to it when the manager has been told of a stop.
        notifier.send(.reloading() + .status("reloading"))
        state.phase = .reloading(Task { await self.run() })
    }

    private var isReloading: Bool {
        state.withLock { state in
            if case .reloading = state.phase { true } else { false }
        }
    }

    private func run() async {
        var failures: [String] = []
        var last: HandlerRegistry<ReloadHandler>.Handler?
        // Looked for one by one: while one is called, another's child may be restarted.
        while isReloading, let handler = handlers.next(after: last) {
            last = handler
            do {
                try await handler.call()
            } catch {
                failures.append("\(handler.path): \(error)")
            }
        }
        state.withLock { state in
            // A service that stops has said so, and is not ready any more.
            guard case .reloading = state.phase else { return }
            state.phase = .idle
            for failure in failures { log.write(.error, "reload failed: \(failure)") }
            if failures.isEmpty { log.write(.info, "reloaded") }
            let more = failures.count > 1 ? " (and \(failures.count - 1) more)" : ""
            let outcome = failures.first.map { "reload failed: \($0)\(more)" } ?? "reloaded"
            notifier.send(.ready + .status(outcome))
            beginIfWanted(&state)
        }
    }
}
