/// What a passed descriptor is, as the kernel tells.
public enum DescriptorKind: String, Sendable, Hashable, CaseIterable {
    /// A stream socket that listens (`ListenStream=`).
    case streamListener = "stream listener"
    /// A socket of sequential packets that listens (`ListenSequentialPacket=`).
    case seqpacketListener = "seqpacket listener"
    /// A datagram socket (`ListenDatagram=`), or a netlink one.
    case datagram
    /// A connected stream or seqpacket socket (`Accept=yes`, or one end of a pair).
    case connection
    /// A named or unnamed pipe (`ListenFIFO=`).
    case fifo
    /// A regular file (`OpenFile=`), or a memfd from the descriptor store.
    case file
    /// A directory.
    case directory
    /// A POSIX message queue (`ListenMessageQueue=`).
    case messageQueue = "message queue"
    /// Open, and none of these: a device, an eventfd, a socket that neither listens nor is connected.
    case other
    /// Not open at all.
    case notOpen = "not open"
}

extension DescriptorKind: CustomStringConvertible {
    /// The kind in words.
    public var description: String {
        rawValue
    }
}
