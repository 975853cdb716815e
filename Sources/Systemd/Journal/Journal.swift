import CSupervision
import SupervisionLock

/// Sends entries with fields to the system's journal.
///
/// ```swift
/// let journal = Journal()
/// journal.send(JournalEntry("serving", fields: [JournalField("PORT", "80")]))
/// ```
///
/// Use it for what a line of text cannot say: fields to search by, several lines that belong together, bytes.
/// Lines on standard error reach the journal too, and a terminal as well: see ``JournalStream``.
///
/// Sending never waits for the journal. An entry that finds the journal's socket full is lost and counted; see
/// ``lostCount``. An entry too large for a datagram goes as a sealed memory file. Where the system has no
/// journal nothing happens, and the outcome says so; a journal that comes later is found.
///
/// May be used from any thread. Entries from one thread arrive in the order in which it sent them.
///
/// - Note: Source: systemd "Native Journal Protocol".
public final class Journal: Sendable {
    private struct State {
        var socket: JournalSocket
        var lostCount = 0
        var isClosed = false
    }

    private let state: Locked<State>

    /// Where the system's journal listens; in a unit with `LogNamespace=` it is the namespace's.
    public static let systemPath = "/run/systemd/journal/socket"

    /// Makes a sender to the system's journal.
    ///
    /// Nothing is opened before the first entry is sent.
    public init() {
        state = Locked(State(socket: JournalSocket(path: Self.systemPath)))
    }

    /// Makes a sender to a journal elsewhere, such as one that a test has made.
    ///
    /// Nothing is opened before the first entry is sent.
    ///
    /// - Parameter path: The path of its socket: absolute, at most 107 bytes.
    /// - Throws: ``SystemdError`` with code `invalidAddress` when the path is relative or too long (an address
    ///   is never cut), or has a NUL in it.
    public init(path: String) throws(SystemdError) {
        guard path.utf8.first == UInt8(ascii: "/"), path.utf8.count <= 107, !path.utf8.contains(0) else {
            throw SystemdError(
                .invalidAddress,
                "\(path.quotedForMessage) is not the path of a socket: absolute, at most 107 bytes, without a NUL"
            )
        }
        state = Locked(State(socket: JournalSocket(path: path)))
    }

    deinit {
        close()
    }

    /// Sends an entry.
    ///
    /// Never waits. When the journal has gone the socket is opened anew, once per entry.
    ///
    /// - Parameter entry: What to tell; at most ``JournalEntry/mostFields`` fields and
    ///   ``JournalEntry/largestSize`` bytes.
    /// - Returns: What became of it. It failed with code `messageTooLarge` when it has more than that, `closed`
    ///   after ``close()``, and `sendFailed` when the system refuses, with the `errno`.
    @discardableResult
    public func send(_ entry: JournalEntry) -> JournalOutcome {
        let outcome = outcome(of: entry)
        switch outcome {
        case .sent, .noJournal: break
        case .dropped, .failed: state.withLock { $0.lostCount += 1 }
        }
        return outcome
    }

    /// How many entries were to be sent and are lost: those dropped, and those that failed.
    public var lostCount: Int {
        state.withLock { $0.lostCount }
    }

    /// Closes the socket.
    ///
    /// A later ``send(_:)`` fails with code `closed`. Closing twice does nothing; releasing the journal closes
    /// it.
    public func close() {
        state.withLock { state in
            state.isClosed = true
            state.socket.close()
        }
    }

    private func outcome(of entry: JournalEntry) -> JournalOutcome {
        if let error = entry.excess { return .failed(error) }
        let bytes = entry.bytes
        var attempt = attempt { $0.send(bytes) }
        if case .tooLarge = attempt {
            let file = csupervision_memory_create("journal-entry", bytes, bytes.count)
            guard file >= 0 else {
                return .failed(
                    .system(
                        .sendFailed,
                        "cannot put an entry of \(bytes.count) bytes into a memory file",
                        errno: -file
                    )
                )
            }
            defer { closeDescriptor(file) }
            attempt = self.attempt { $0.send(file: file) }
        }
        switch attempt {
        case .sent: return .sent
        case .noJournal: return .noJournal
        // A file is the last resort: a datagram with one has no bytes of its own.
        case .full, .tooLarge: return .dropped
        case .failed(let error): return .failed(error)
        }
    }

    private func attempt(_ send: (inout JournalSocket) -> JournalSocket.Attempt) -> JournalSocket.Attempt {
        state.withLock { state in
            guard !state.isClosed else {
                return .failed(SystemdError(.closed, "the journal is closed; make a new one to send more"))
            }
            return send(&state.socket)
        }
    }
}
