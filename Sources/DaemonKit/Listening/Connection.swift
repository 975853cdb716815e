internal import CSupervision
import SupervisionLock

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// One accepted connection.
///
/// Reading and writing block no thread: what is not there yet is waited for by the task alone. One task may
/// read while another writes; two that read, or two that write, are an error.
///
/// Where a handler closes while the peer's bytes are still unread, the kernel resets the connection, and the
/// peer may lose what was written last: ``shutdownWrite()``, then read to the end, is the way to a clean end.
///
/// Over sequential packets (``ConnectionKind/sequentialPackets``) a write is one record, and a read gives one.
public final class Connection: Sendable {
    /// Who connected.
    public let peer: SocketAddress

    /// What it carries.
    public let kind: ConnectionKind

    private let session: ServingSession
    private let state: Locked<ConnectionState>
    private let drainRegistrations = Locked<[DrainRegistration]>([])

    /// Takes over a connected descriptor, and the place that was counted for it in the session: ``finish()``
    /// gives it back.
    ///
    /// - Parameters:
    ///   - descriptor: Connected, non-blocking and close-on-exec.
    ///   - peer: Who connected.
    ///   - session: Tells of draining, and counts.
    ///   - kind: What it carries.
    package init(
        adopting descriptor: CInt,
        peer: SocketAddress,
        in session: ServingSession,
        kind: ConnectionKind = .stream
    ) {
        self.peer = peer
        self.kind = kind
        self.session = session
        self.state = Locked(ConnectionState(descriptor: descriptor))
    }

    /// Takes over a connected socket that no listener accepted, such as one from the manager's store.
    ///
    /// No listener counts it, and none has it drained. Makes it non-blocking and close-on-exec.
    ///
    /// - Parameter descriptor: Owned by the new object; still the caller's where this throws.
    /// - Throws: ``SocketError`` with code `notConnected` where it is something else, or its peer has gone, and
    ///   `systemError`.
    public convenience init(adopting descriptor: CInt) throws {
        try self.init(adopting: descriptor, in: ServingSession(name: "", expectedSockets: 0))
    }

    /// Takes over a connected socket that was accepted elsewhere, and the place that was counted for it.
    convenience init(adopting descriptor: CInt, in session: ServingSession) throws {
        let peer = try SocketAddress.peer(of: descriptor)
        let failure = csupervision_socket_prepare(descriptor)
        guard failure == 0 else {
            let message = "cannot make the connection on descriptor \(descriptor) non-blocking"
            throw SocketError(.systemError, message, errno: -failure)
        }
        let kind: ConnectionKind =
            csupervision_socket_is_seqpacket(descriptor) == 1 ? .sequentialPackets : .stream
        self.init(adopting: descriptor, peer: peer, in: session, kind: kind)
    }

    deinit {
        end(throwing: SocketError.closedConnection(peer))
    }

    // MARK: Reading and writing

    /// Reads what has arrived, waiting until something has.
    ///
    /// - Parameter limit: How many bytes at most, above zero; default 16 KiB. More than 1 MiB is not read at once.
    /// - Returns: One byte at least; none at the end, when the peer has shut down its writing. Over sequential packets
    ///   the next record, see ``readRecord(upTo:)``: none also where that is empty.
    /// - Throws: `CancellationError` when the task is cancelled, which loses no byte. ``SocketError`` with code
    ///   `peerGone` (ECONNRESET), `closed`, `busy` when another task reads, `invalidArgument`, `tooLong` of a record,
    ///   or `systemError`.
    public func read(upTo limit: Int = 16384) async throws -> [UInt8] {
        try await readNext(upTo: limit) ?? []
    }

    /// Reads the next record of a connection of sequential packets, waiting until one has arrived.
    ///
    /// Of a stream, which has no records, it gives what ``read(upTo:)`` does.
    ///
    /// - Parameter limit: How many bytes at most, above zero; default 64 KiB. Records of more than 1 MiB are not read.
    /// - Returns: The record, whole, which may be empty; nil at the end, when the peer has shut down its writing.
    /// - Throws: As ``read(upTo:)``. A record that is longer is lost, with code `tooLong`; the next one can be read.
    public func readRecord(upTo limit: Int = 65536) async throws -> [UInt8]? {
        try await readNext(upTo: limit)
    }

    /// - Returns: Nil at the end.
    private func readNext(upTo limit: Int) async throws -> [UInt8]? {
        guard limit > 0 else {
            throw SocketError(
                .invalidArgument,
                "cannot read up to \(limit) bytes from \(peer): at least 1 is needed"
            )
        }
        try begin(.reading)
        defer { state.withLock { $0.reading.isInUse = false } }
        while true {
            if let found = try readWhatIsThere(upTo: min(limit, 1 << 20)) {
                return found.isEnd ? nil : found.bytes
            }
            try await waitUntilReady(for: .reading)
        }
    }

    /// Writes all bytes, waiting while the peer does not take them.
    ///
    /// That they are written means that the kernel has them, not that the peer does. Over sequential packets they are
    /// one record, whole or not at all, an empty one too.
    ///
    /// - Parameter bytes: What to write.
    /// - Throws: `CancellationError` when the task is cancelled: some of the bytes may have been written. ``SocketError``
    ///   with code `peerGone` (EPIPE, ECONNRESET; there is no SIGPIPE), `closed`, `busy` when another task
    ///   writes, `tooLong` of a record (EMSGSIZE), or `systemError`.
    public func write(_ bytes: [UInt8]) async throws {
        try begin(.writing)
        defer { state.withLock { $0.writing.isInUse = false } }
        var written = 0
        var isRecordLeft = kind == .sequentialPackets
        while written < bytes.count || isRecordLeft {
            if let count = try writeWhatFits(bytes, from: written) {
                written += count
                isRecordLeft = false
            } else {
                try await waitUntilReady(for: .writing)
            }
        }
    }

    /// Writes a text in UTF-8, as ``write(_:)-([UInt8])`` does bytes.
    ///
    /// - Parameter text: What to write.
    /// - Throws: As ``write(_:)-([UInt8])``.
    public func write(_ text: String) async throws {
        try await write(Array(text.utf8))
    }

    // MARK: Ending

    /// Ends the writing: the peer reads the end after what was written.
    ///
    /// Reading goes on.
    public func shutdownWrite() {
        shutdown(writing: true)
    }

    /// Ends the reading: a read gives what has arrived, then the end, also one that waits.
    ///
    /// Writing goes on.
    ///
    /// The way to end, on drain, a handler that waits for the next request.
    public func shutdownRead() {
        shutdown(writing: false)
    }

    /// Closes the connection.
    ///
    /// Reads and writes that wait throw ``SocketError`` with code `closed`. More than once does nothing.
    ///
    /// It counts as open until its handler ends.
    public func close() {
        end(throwing: SocketError.closedConnection(peer))
    }

    /// Moves the descriptor out, for a framework that does the reading and writing: who takes it closes it.
    ///
    /// It is connected, non-blocking and close-on-exec. The connection counts as open until its handler ends: return
    /// from that when the framework is done. A read or write that waits throws ``SocketError`` with code `closed`.
    ///
    /// - Returns: The descriptor. Another number for the same connection where it was waited on before.
    /// - Throws: ``SocketError`` with code `closed` where it was closed or taken before, or `systemError` where it
    ///   had to be duplicated and no descriptor was left; it stays this object's then.
    public func takeDescriptor() throws -> CInt {
        let (descriptor, waiters) = try state.withLock { state in
            let descriptor = try state.open(peer)
            guard state.hasSources else { return (descriptor, state.take()) }
            // Dispatch still knows this number, and lets go of it only in its own time.
            let copy = csupervision_descriptor_duplicate(descriptor)
            guard copy >= 0 else {
                let message = "cannot duplicate the descriptor of the connection from \(peer)"
                throw SocketError(.systemError, message, errno: -copy)
            }
            return (copy, state.end())
        }
        for waiter in waiters { waiter.resume(throwing: SocketError.closedConnection(peer)) }
        return descriptor
    }

    /// Gives the descriptor to some code, during which it stays open.
    func withDescriptor<Result>(_ body: (CInt) throws -> Result) throws -> Result {
        try state.withLock { state in try body(state.open(peer)) }
    }

    // MARK: Draining

    /// Whether the listener drains: answer what is asked, say that it was the last (`Connection: close`), and end.
    ///
    /// True from the start for a connection that waited in the backlog when the drain began.
    public var isDraining: Bool { session.isDraining }

    /// Has a closure called when the listener is asked to drain; at once, where it has been.
    ///
    /// Not after the handler has ended.
    ///
    /// - Parameter body: What to do then. It must not block.
    public func onDrain(_ body: @escaping @Sendable () -> Void) {
        let registration = session.onDrain(body)
        drainRegistrations.withLock { $0.append(registration) }
    }
}

// MARK: - The accept loop's side

extension Connection {
    /// Closes the connection because its task is cancelled.
    func abort() {
        end(throwing: CancellationError())
    }

    /// Closes it, unless its descriptor was taken, and gives its place back when the system has let go of it.
    ///
    /// To be called once, when the handler has ended.
    package func finish() async {
        for registration in drainRegistrations.withLock({ $0 }) { registration.cancel() }
        end(throwing: SocketError.closedConnection(peer))
        // Mostly it is closed by now, or was taken.
        if !state.withLock({ $0.isClosed }) {
            await withCheckedContinuation { continuation in
                let isClosed = state.withLock { $0.whenClosed { continuation.resume() } }
                if isClosed { continuation.resume() }
            }
        }
        session.connectionClosed()
    }

    private func end(throwing error: any Error) {
        for waiter in state.withLock({ $0.end() }) { waiter.resume(throwing: error) }
    }
}

// MARK: - System calls

// Made under the lock, so that nobody closes the descriptor in between and the number becomes another's. They do
// not block.
extension Connection {
    /// The descriptor, to be used under the lock by a task that has not been cancelled.
    private func open(_ state: ConnectionState) throws -> CInt {
        // A cut cancels the task before it closes the connection: it is the cancellation that the task is told of.
        try Task.checkCancellation()
        return try state.open(peer)
    }

    private func begin(_ direction: Readiness.Direction) throws {
        try state.withLock { state in
            _ = try open(state)
            guard !state[direction].isInUse else {
                let message = "another task is \(direction) on the connection from \(peer) already"
                throw SocketError(.busy, message)
            }
            state[direction].isInUse = true
        }
    }

    /// - Returns: Nil where nothing has arrived.
    private func readWhatIsThere(upTo limit: Int) throws -> (bytes: [UInt8], isEnd: Bool)? {
        try state.withLock { state in
            let descriptor = try open(state)
            var result = 0
            var isEnd: CInt = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
                result =
                    switch kind {
                    case .stream: csupervision_socket_read(descriptor, buffer.baseAddress, limit)
                    case .sequentialPackets:
                        csupervision_socket_read_record(descriptor, buffer.baseAddress, limit, &isEnd)
                    }
                count = max(0, result)
            }
            if result == -Int(EAGAIN) { return nil }
            if result == -Int(EMSGSIZE) {
                let message =
                    "a record from \(peer) has more than \(limit) bytes, and is lost: read more at once"
                throw SocketError(.tooLong, message)
            }
            guard result >= 0 else { throw SocketError.connection("read from", peer, errno: CInt(-result)) }
            return (bytes, kind == .stream ? result == 0 : isEnd == 1)
        }
    }

    /// - Returns: How many bytes; nil where the peer takes none at present.
    private func writeWhatFits(_ bytes: [UInt8], from start: Int) throws -> Int? {
        try state.withLock { state in
            let descriptor = try open(state)
            let result = bytes.withUnsafeBytes { buffer in
                let rest = buffer[start...]
                return csupervision_socket_write(
                    descriptor,
                    UnsafeRawBufferPointer(rebasing: rest).baseAddress,
                    rest.count
                )
            }
            if result == -Int(EAGAIN) { return nil }
            guard result >= 0 else { throw SocketError.connection("write to", peer, errno: CInt(-result)) }
            return result
        }
    }

    private func shutdown(writing: Bool) {
        state.withLock { state in
            guard let descriptor = try? state.open(peer) else { return }
            csupervision_socket_shutdown(descriptor, writing ? 1 : 0)
        }
    }

    private func waitUntilReady(for direction: Readiness.Direction) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                do {
                    try state.withLock { state in
                        // A cancellation that came before this found nobody to wake.
                        let descriptor = try open(state)
                        state[direction].wait(continuation, for: direction, of: descriptor) { [weak self] in
                            guard let self else { return }
                            self.state.withLock { $0[direction].eventCame() }?.resume()
                        }
                    }
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        } onCancel: {
            state.withLock { $0[direction].takeWaiter() }?.resume(throwing: CancellationError())
        }
    }
}
