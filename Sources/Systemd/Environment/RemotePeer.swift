/// Whose connection the manager started this process for (`Accept=yes`).
///
/// Told for connections over IP, also to a program that has the connection as its standard output and knows nothing
/// of sockets; for Unix sockets where the peer has a name, which clients rarely have.
///
/// - Note: Source: systemd `systemd.socket`, `Accept=`.
public struct RemotePeer: Sendable, Hashable {
    /// The address (`REMOTE_ADDR`): IPv4, IPv6, or the path or abstract name of a Unix socket.
    public let address: String

    /// The port (`REMOTE_PORT`); nil where there is none, as of Unix sockets.
    public let port: Int?

    /// The kernel's number of the connection (`SO_COOKIE`), which no other has while the machine runs; since systemd
    /// 258.
    public let cookie: UInt64?

    /// Describes a peer.
    ///
    /// - Parameters:
    ///   - address: Its address.
    ///   - port: Its port; none by default.
    ///   - cookie: The kernel's number of the connection; not known by default.
    public init(address: String, port: Int? = nil, cookie: UInt64? = nil) {
        self.address = address
        self.port = port
        self.cookie = cookie
    }
}

extension RemotePeer: CustomStringConvertible {
    /// `192.0.2.1:4711`, `[2001:db8::1]:4711`, or the path.
    public var description: String {
        guard let port else { return address }
        return address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
    }
}

extension EnvironmentReader {
    mutating func remotePeer() -> RemotePeer? {
        guard let address = text("REMOTE_ADDR") else { return nil }
        var (port, cookie) = (nil as Int?, nil as UInt64?)
        if case .number(let number) = number("REMOTE_PORT", in: 0...65535, meaning: "the port of the peer") {
            port = Int(number)
        }
        let meaning = "the number of a connection"
        if case .number(let number) = number("SO_COOKIE", in: 0...UInt64.max, meaning: meaning) {
            cookie = number
        }
        return RemotePeer(address: address, port: port, cookie: cookie)
    }
}
