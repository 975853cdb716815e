/// Something that happened while serving, and that did not end it.
///
/// The session reports these as values; who reports writes no text.
public enum ListeningIncident: Sendable {
    /// Accepting failed for want of descriptors or memory (EMFILE, ENFILE, ENOBUFS, ENOMEM), or again and again.
    ///
    /// Reported once, until the backlog has been emptied. It is tried anew after `pause`, which doubles up to
    /// 1 s, or as soon as a connection closes.
    case acceptPaused(socket: SocketAddress, errorNumber: CInt, pause: Duration)

    /// As many connections are open as may be; further ones wait in the kernel's backlog.
    ///
    /// Reported once, until no more than half of them are left.
    case connectionLimitReached(limit: Int)

    /// A handler threw. Its connection was closed; the others go on.
    case connectionFailed(peer: SocketAddress, error: any Error)

    /// Receiving datagrams failed for want of memory (ENOBUFS, ENOMEM), or again and again.
    ///
    /// Reported once, until the buffer has been emptied. It is tried anew after `pause`, which doubles up to 1 s.
    case receivePaused(socket: SocketAddress, errorNumber: CInt, pause: Duration)

    /// Handlers of datagrams threw, `count` of them since the listener started; the last one that of `peer`.
    ///
    /// Who sends decides how often that is: reported for the first, the second, the fourth, the eighth, …
    case datagramsFailed(count: Int, peer: SocketAddress?, error: any Error)

    /// Replies were dropped for want of room, `count` of them since the listener started.
    ///
    /// Reported for the first, the second, the fourth, the eighth, …
    case repliesDropped(socket: SocketAddress, count: Int)
}

extension ListeningIncident: CustomStringConvertible {
    /// One line.
    public var description: String {
        switch self {
        case .acceptPaused(let socket, let error, let pause):
            "cannot accept on \(socket), trying again in \(pause): \(SocketError.text(of: error)) (errno \(error))"
        case .connectionLimitReached(let limit):
            "\(limit) connections are open, no more are accepted until one closes"
        case .connectionFailed(let peer, let error):
            "connection from \(peer) failed: \(error)"
        case .receivePaused(let socket, let error, let pause):
            "cannot receive on \(socket), trying again in \(pause): \(SocketError.text(of: error)) (errno \(error))"
        case .datagramsFailed(let count, let peer, let error):
            "\(count) datagrams failed so far, the last from \(peer?.description ?? "nobody"): \(error)"
        case .repliesDropped(let socket, let count):
            "\(count) replies from \(socket) dropped so far: there was no room for them"
        }
    }
}
