/// The address family of a passed socket.
public enum SocketFamily: String, Sendable, Hashable, CaseIterable {
    /// IPv4 (`AF_INET`).
    case inet
    /// IPv6 (`AF_INET6`): what `ListenStream=80` makes, and by default it serves IPv4 clients too.
    case inet6
    /// A Unix socket (`AF_UNIX`).
    case unix
    /// Netlink (`AF_NETLINK`).
    case netlink
    /// A virtual machine's socket (`AF_VSOCK`).
    case vsock
    /// Any other.
    case other
}
