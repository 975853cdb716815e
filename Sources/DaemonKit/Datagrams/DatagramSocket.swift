internal import CSupervision
import SupervisionLock

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// A datagram socket that is bound, and the descriptor it is, which it owns.
package final class DatagramSocket: ServedSocket {
    let origin: ListeningSocket.Origin
    let name: String
    package let localAddress: SocketAddress
    private let state: Locked<State>

    private struct State {
        var descriptor: CInt?
        var file: SocketFile?
        var dropped = DoublingCount()
    }

    /// Takes over a descriptor: makes it close-on-exec and non-blocking, and has the kernel tell the address that
    /// was asked.
    ///
    /// - Throws: ``SocketError`` with code `notDatagram` or `systemError`; the descriptor is still the caller's.
    init(
        adopting descriptor: CInt,
        name: String,
        origin: ListeningSocket.Origin = .passed,
        file: SocketFile? = nil
    ) throws {
        let found = csupervision_descriptor_inspect(descriptor).kind
        guard found == CSUPERVISION_KIND_DATAGRAM else {
            throw SocketError(
                .notDatagram,
                "descriptor \(descriptor) (\"\(name)\") is \(found.inWords); "
                    + "a datagram socket is needed (ListenDatagram=)"
            )
        }
        let failure = csupervision_datagram_prepare(descriptor)
        guard failure == 0 else {
            let message = "cannot make descriptor \(descriptor) (\"\(name)\") non-blocking and close-on-exec"
            throw SocketError(.systemError, message, errno: -failure)
        }
        self.origin = origin
        self.name = name
        self.localAddress = .local(of: descriptor)
        self.state = Locked(State(descriptor: descriptor, file: file))
    }

    /// Binds an endpoint.
    ///
    /// - Throws: As ``ListeningSocket/bind(_:kind:backlog:name:)``.
    package static func bind(_ endpoint: Endpoint, name: String) throws -> DatagramSocket {
        let bound = try BoundSocket(endpoint, type: .datagrams, name: name)
        do {
            return try DatagramSocket(
                adopting: bound.descriptor,
                name: name,
                origin: .bound,
                file: bound.file
            )
        } catch {
            closeDescriptor(bound.descriptor)
            throw error
        }
    }

    deinit {
        close()
    }

    var isPassed: Bool { origin == .passed }

    var place: String { "receiving on \(localAddress)\(origin.remark)" }

    /// The descriptor; -1 once it is closed.
    package var descriptor: CInt {
        state.withLock { $0.descriptor ?? -1 }
    }

    /// Closes the descriptor, and removes the file of a Unix socket that was bound here.
    ///
    /// More than once does nothing.
    func close() {
        let (descriptor, file) = state.withLock { state in
            defer { (state.descriptor, state.file) = (nil, nil) }
            return (state.descriptor, state.file)
        }
        file?.remove()
        if let descriptor { closeDescriptor(descriptor) }
    }

    /// Has nothing more arrive: what has can be received, and replies can be sent.
    ///
    /// Only for a socket that nobody else holds.
    func refuse() {
        let file = state.withLock { state in
            defer { state.file = nil }
            if let descriptor = state.descriptor { _ = csupervision_datagram_refuse(descriptor) }
            return state.file
        }
        file?.remove()
    }

    /// Sends a datagram back.
    ///
    /// Under the lock, so that nobody closes the descriptor in between and the number becomes another's. It does
    /// not block.
    func reply(
        _ bytes: [UInt8],
        by route: csupervision_route,
        to peer: () -> SocketAddress?
    ) -> ReplyOutcome {
        let result = state.withLock { state -> CInt? in
            guard let descriptor = state.descriptor else { return nil }
            return withUnsafePointer(to: route) { route in
                bytes.withUnsafeBytes {
                    csupervision_datagram_reply(descriptor, $0.baseAddress, $0.count, route)
                }
            }
        }
        switch result {
        case nil:
            return .failed(SocketError(.closed, "cannot reply on \(localAddress): its listener has ended"))
        case 0: return .sent
        case -EDESTADDRREQ: return .unnamedPeer
        case -EAGAIN, -EWOULDBLOCK, -ENOBUFS, -ENOMEM: return .dropped
        case let failure?:
            let code: SocketError.Code =
                switch -failure {
                case EMSGSIZE: .tooLong
                case ECONNREFUSED, ENOENT, EHOSTUNREACH, ENETUNREACH, ENOTCONN, ECONNRESET: .peerGone
                default: .systemError
                }
            let message = "cannot reply with \(bytes.count) bytes to \(peer()?.description ?? "nobody")"
            return .failed(SocketError(code, message, errno: -failure))
        }
    }

    /// Counts a reply that was dropped.
    ///
    /// - Returns: How many there were, where that is worth telling.
    func countDrop() -> Int? {
        state.withLock { $0.dropped.add() }
    }
}
