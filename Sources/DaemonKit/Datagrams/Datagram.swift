internal import CSupervision

/// One datagram that was received, and the way back.
public struct Datagram: Sendable {
    /// What it carries; may be empty.
    public let bytes: [UInt8]

    /// Whether it was longer than the listener's `maxDatagramSize`, and the rest of it is lost.
    public let isTruncated: Bool

    private let socket: DatagramSocket
    private let session: ServingSession
    private let route: csupervision_route

    init(
        _ bytes: [UInt8],
        _ arrival: csupervision_arrival,
        on socket: DatagramSocket,
        in session: ServingSession
    ) {
        self.bytes = bytes
        self.isTruncated = arrival.is_truncated != 0
        self.route = arrival.route
        self.socket = socket
        self.session = session
    }

    /// Who sent it: anybody can write any address there.
    ///
    /// Nil where it has none, as Unix sockets do that were never bound: no reply can reach those.
    public var peer: SocketAddress? {
        guard route.peer_size > 0 else { return nil }
        var address = csupervision_address()
        withUnsafePointer(to: route) { csupervision_route_peer($0, &address) }
        return SocketAddress(address)
    }

    /// The address that it was sent to: of a socket for every address, the one that was asked.
    public var local: SocketAddress {
        var address = csupervision_address()
        let port = CInt(socket.localAddress.port ?? 0)
        let isTold = withUnsafePointer(to: route) { csupervision_route_asked($0, port, &address) }
        return isTold == 1 ? SocketAddress(address) : socket.localAddress
    }

    /// Sends a datagram to the peer, from the address that it asked.
    ///
    /// Does not wait: where there is no room for it, it is dropped, as datagrams may be. A reply to a multicast or
    /// broadcast leaves from an address of this machine. More than one may be sent, also after the handler has
    /// returned, as long as the listener runs.
    ///
    /// Whoever asks may not be who the address says: replies longer than the question make a service an amplifier
    /// of attacks on others.
    ///
    /// - Parameter bytes: What to send; over UDP no more than 65,507 bytes.
    /// - Returns: What became of it, for those who want to know.
    @discardableResult
    public func reply(_ bytes: [UInt8]) -> ReplyOutcome {
        let outcome = socket.reply(bytes, by: route) { self.peer }
        if case .dropped = outcome, let count = socket.countDrop() {
            session.report(.repliesDropped(socket: socket.localAddress, count: count))
        }
        return outcome
    }

    /// Sends a text in UTF-8, as ``reply(_:)-([UInt8])`` does bytes.
    ///
    /// - Parameter text: What to send.
    /// - Returns: What became of it.
    @discardableResult
    public func reply(_ text: String) -> ReplyOutcome {
        reply(Array(text.utf8))
    }

    /// Tells that nobody works on it any more.
    func finish() {
        session.connectionClosed()
    }
}
