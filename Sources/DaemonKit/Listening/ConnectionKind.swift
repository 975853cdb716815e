/// What a connection carries.
public enum ConnectionKind: Sendable, Hashable, CaseIterable {
    /// Bytes, in order: TCP, and Unix stream sockets (`ListenStream=`).
    case stream

    /// Records, in order and each whole: Unix sockets of sequential packets (`ListenSequentialPacket=`).
    case sequentialPackets
}
