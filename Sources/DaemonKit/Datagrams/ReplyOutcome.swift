/// What became of a reply to a datagram.
///
/// Datagrams may be lost on the way, and nobody tells: ``sent`` does not mean that the peer has it.
public enum ReplyOutcome: Sendable {
    /// The kernel has it.
    case sent

    /// There was no room for it at the moment (EAGAIN, ENOBUFS, ENOMEM), in the kernel or, of a Unix socket, at the
    /// peer.
    ///
    /// Counted, and told as ``ListeningIncident/repliesDropped(socket:count:)``.
    case dropped

    /// The peer has no address to reply to: a Unix socket that was never bound.
    case unnamedPeer

    /// The system refused: too long (`tooLong`), the peer has gone (`peerGone`), the listener has ended (`closed`),
    /// or something else (`systemError`).
    case failed(SocketError)
}
