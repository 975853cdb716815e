/// Where to listen, when no socket was passed.
public enum Endpoint: Sendable, Hashable {
    /// A port on every address of the machine: TCP, or UDP for datagrams.
    ///
    /// One IPv6 socket that takes IPv4 too, or an IPv4 one where the machine has no IPv6. From 0 to 65535;
    /// 0 lets the kernel choose, and ``ListeningSocket/localAddress`` tells which.
    case port(Int)

    /// A port on one address: IPv4 (`127.0.0.1`) or IPv6 (`::1`, `fe80::1%eth0`), without brackets.
    ///
    /// Names are refused. What a name stands for is the resolver's to say, which may be slow, or not there
    /// yet when a service starts, or answer with the address of another machine.
    case host(String, port: Int)

    /// A Unix socket at a path, or at an abstract name where it begins with `@` (Linux).
    ///
    /// The file is made with the permissions that the umask leaves. One that is there already is replaced if
    /// it is a socket that nobody has open, else it is an error. A relative path is looked up again when
    /// the file is removed: prefer an absolute one.
    case unix(String)
}

extension Endpoint: CustomStringConvertible {
    /// `port 4000`, `127.0.0.1:4000`, `[::1]:4000` or the path.
    public var description: String {
        switch self {
        case .port(let port): "port \(port)"
        case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): path
        }
    }
}
