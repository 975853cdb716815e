internal import CSupervision
import SupervisionLock

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// A socket that is bound and listens for connections, and the descriptor it is.
///
/// It owns the descriptor: closing it, or letting go of the last reference, closes that. Where others hold the same
/// socket, as the service manager does of one it passed, theirs goes on listening.
public final class ListeningSocket: Sendable {
    /// Where a socket came from, which decides what a drain does with its backlog.
    public enum Origin: Sendable, Hashable {
        /// From the service manager, or whoever started the process: others hold it too. On drain, those who wait in
        /// its backlog are left to the next process.
        case passed

        /// Bound by this process. On drain, those who wait in its backlog are served: nobody else would.
        case bound

        /// Bound by this process or one before it, and kept by the service manager for the next. On drain, those who
        /// wait in its backlog are left to that.
        case kept
    }

    /// Where it came from.
    public let origin: Origin

    /// What its connections carry.
    public let kind: ConnectionKind

    /// The name that it goes by, such as `FileDescriptorName=` gave it.
    public let name: String

    /// The address that it is bound to.
    ///
    /// With the port that the kernel chose, where it was asked to.
    public let localAddress: SocketAddress

    private let state: Locked<State>

    private struct State {
        var descriptor: CInt?
        var file: SocketFile?
    }

    /// Takes over a descriptor that is bound and listens already.
    ///
    /// Makes it close-on-exec and non-blocking (O_NONBLOCK is of the socket, and so is seen by all who hold it),
    /// and changes nothing else.
    ///
    /// - Parameters:
    ///   - descriptor: An open descriptor. Owned by the new object; still the caller's where this throws.
    ///   - name: What to call it.
    ///   - origin: Whether others hold it too; passed by default.
    ///   - kind: What its connections must carry; streams by default.
    /// - Throws: ``SocketError`` with code `notListening`, saying what it is instead, or `systemError`.
    public convenience init(
        adopting descriptor: CInt,
        name: String,
        origin: Origin = .passed,
        kind: ConnectionKind = .stream
    ) throws {
        try self.init(adopting: descriptor, name: name, origin: origin, kind: kind, file: nil)
    }

    init(
        adopting descriptor: CInt,
        name: String,
        origin: Origin,
        kind: ConnectionKind = .stream,
        file: SocketFile?
    ) throws {
        let found = csupervision_descriptor_inspect(descriptor).kind
        guard found == kind.listener else {
            throw SocketError(
                .notListening,
                "descriptor \(descriptor) (\"\(name)\") is \(found.inWords); \(kind.need)"
            )
        }
        let failure = csupervision_socket_prepare(descriptor)
        guard failure == 0 else {
            let message = "cannot make descriptor \(descriptor) (\"\(name)\") non-blocking and close-on-exec"
            throw SocketError(.systemError, message, errno: -failure)
        }
        self.origin = origin
        self.kind = kind
        self.name = name
        self.localAddress = .local(of: descriptor)
        self.state = Locked(State(descriptor: descriptor, file: file))
    }

    deinit {
        close()
    }

    /// The descriptor, open for as long as this object lives and is not closed; -1 once it is closed or taken.
    ///
    /// Keep the object while using the number: once closed, the kernel gives the same number to something else.
    public var descriptor: CInt {
        state.withLock { $0.descriptor ?? -1 }
    }

    /// Moves the descriptor out: who takes it closes it.
    ///
    /// The file of a Unix socket stays this object's to remove, by ``close()`` or when it is let go of.
    ///
    /// - Returns: The descriptor, or -1 where it was closed or taken before.
    public func takeDescriptor() -> CInt {
        state.withLock { state in
            defer { state.descriptor = nil }
            return state.descriptor ?? -1
        }
    }

    /// Closes the descriptor, and removes the file of a Unix socket that was bound here.
    ///
    /// More than once does nothing.
    ///
    /// The file is left where it is another's by now. The path of a passed socket is never removed.
    public func close() {
        let before = state.withLock { state in
            defer { state = State() }
            return state
        }
        before.file?.remove()
        if let descriptor = before.descriptor { closeDescriptor(descriptor) }
    }

    /// Removes the file of a Unix socket that was bound here, so that nobody new finds it.
    func removeFile() {
        let file = state.withLock { state in
            defer { state.file = nil }
            return state.file
        }
        file?.remove()
    }

    /// Lets the file of a Unix socket that was bound here be: others find it, and listen, after this process.
    func leaveFile() {
        state.withLock { $0.file = nil }
    }
}

extension ConnectionKind {
    fileprivate var listener: csupervision_kind {
        switch self {
        case .stream: CSUPERVISION_KIND_STREAM_LISTENER
        case .sequentialPackets: CSUPERVISION_KIND_SEQPACKET_LISTENER
        }
    }

    fileprivate var need: String {
        switch self {
        case .stream: "a stream socket that listens is needed (ListenStream= with Accept=no)"
        case .sequentialPackets:
            "a socket of sequential packets that listens is needed (ListenSequentialPacket= with Accept=no)"
        }
    }
}

extension csupervision_kind {
    /// What a descriptor is that should be another.
    var inWords: String {
        switch self {
        case CSUPERVISION_KIND_NOT_OPEN: "not open"
        case CSUPERVISION_KIND_STREAM_LISTENER: "a stream socket that listens"
        case CSUPERVISION_KIND_SEQPACKET_LISTENER: "a sequential-packet socket"
        case CSUPERVISION_KIND_DATAGRAM: "a datagram socket"
        case CSUPERVISION_KIND_CONNECTION: "a connection, not a listener"
        case CSUPERVISION_KIND_FIFO: "a pipe"
        case CSUPERVISION_KIND_FILE: "a file"
        case CSUPERVISION_KIND_DIRECTORY: "a directory"
        case CSUPERVISION_KIND_MESSAGE_QUEUE: "a message queue"
        default: "neither a listener nor a connection"
        }
    }
}

/// Closes a descriptor.
///
/// EINTR closes it as well, on Linux: never to be tried twice.
func closeDescriptor(_ descriptor: CInt) {
    _ = close(descriptor)
}
