import CSupervision
import Dispatch
import SupervisionLock
import Systemd

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The daemon's own lines on standard error: what failed, what was restarted, why it ended.
///
/// Written by a queue of its own, so that a log that nobody reads holds up nobody; lines beyond those that may
/// wait are dropped and counted, but for the one that says what the process ends with. Where standard error is the
/// journal, each line carries its priority (`<4>`).
package final class DaemonLog: Sendable {
    private struct State {
        var waiting = 0
        var dropped = 0
    }

    private static let mostWaiting = 1_000

    private let queue = DispatchQueue(label: "daemon-log")
    private let state = Locked(State())
    private let sink: @Sendable (JournalPriority, String) -> Void

    /// Makes a log that writes each text somewhere; by default nowhere.
    package init(sink: @escaping @Sendable (JournalPriority, String) -> Void = { _, _ in }) {
        self.sink = sink
    }

    /// The log on standard error.
    ///
    /// - Parameter journalStream: The journal's stream, which standard error may be or not.
    /// - Returns: The log.
    static func standardError(journalStream: JournalStream?) -> DaemonLog {
        let isJournal = journalStream?.isOpen(as: STDERR_FILENO) ?? false
        return DaemonLog { priority, text in
            let lines = isJournal ? priority.prefixed(text) : text
            writeAll(Array("\(lines)\n".utf8), to: STDERR_FILENO)
        }
    }

    /// Writes some lines, soon.
    ///
    /// - Parameters:
    ///   - priority: How much they matter.
    ///   - text: The lines.
    ///   - isLast: Whether they say what the process ends with: those are written however many wait.
    package func write(_ priority: JournalPriority, _ text: String, isLast: Bool = false) {
        let isDropped = state.withLock { state in
            guard isLast || state.waiting < Self.mostWaiting else {
                state.dropped += 1
                return true
            }
            state.waiting += 1
            return false
        }
        guard !isDropped else { return }
        queue.async { [self] in
            let dropped = state.withLock { state in
                defer { state = State(waiting: state.waiting - 1, dropped: 0) }
                return state.dropped
            }
            if dropped > 0 { sink(.warning, "\(dropped) lines of log were lost") }
            sink(priority, text)
        }
    }

    /// Waits until everything has been written, but no longer than a second: the process is about to end.
    func flush() async {
        await withCheckedContinuation { continuation in
            let once = Once(continuation)
            queue.async { once.resume() }
            DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(1)) { once.resume() }
        }
    }

    /// Has the calling thread wait as ``flush()`` does: where no task can, or the process ends in the next moment.
    func flushFromThread() {
        let isWritten = DispatchSemaphore(value: 0)
        queue.async { isWritten.signal() }
        _ = isWritten.wait(timeout: .now() + .seconds(1))
    }

    private final class Once: Sendable {
        private let continuation: Locked<CheckedContinuation<Void, Never>?>

        init(_ continuation: CheckedContinuation<Void, Never>) {
            self.continuation = Locked(continuation)
        }

        func resume() {
            continuation.withLock { continuation in
                defer { continuation = nil }
                return continuation
            }?.resume()
        }
    }
}

extension DaemonLog {
    /// Tells of an event, where it is one that an operator should see.
    func write(_ event: SupervisorEvent) {
        let priority: JournalPriority? =
            switch event.kind {
            case .childEnded(_, .threw), .childOverdue, .childRestarting: .warning
            case .childEnded(_, .returned), .childDropped, .childDeleted: .notice
            case .childStopped(_, .threw(let error)) where !(error is CancellationError): .warning
            case .childAbandoned, .childGivenUp: .error
            case .stopping(.startFailed), .stopping(.gaveUp), .stopping(.leftRunning): .error
            case .stopping(.autoShutdown): .notice
            case .started, .stopping(.requested), .stopped: event.supervisor.ids.isEmpty ? .info : nil
            case .starting, .childStarting, .childStarted, .childIgnored, .childStopping, .childStopped: nil
            }
        if let priority { write(priority, event.description) }
    }
}

private func writeAll(_ bytes: [UInt8], to descriptor: CInt) {
    var rest = bytes[...]
    while !rest.isEmpty {
        let written = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if written < 0, errno == EINTR { continue }
        guard written > 0 else { return }
        rest = rest.dropFirst(written)
    }
}
