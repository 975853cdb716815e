internal import CSupervision

/// One end of a socket.
public enum SocketAddress: Sendable, Hashable {
    /// An IPv4 address. So is an IPv4 peer of a socket for both families, whose mapped address
    /// (`::ffff:127.0.0.1`) would match nothing.
    case ipv4(host: String, port: Int)

    /// An IPv6 address, with its scope where it has one (`fe80::1%eth0`).
    case ipv6(host: String, port: Int)

    /// A Unix socket's path; an abstract name begins with `@`. Nil where it has no name, as clients do.
    case unix(path: String?)

    /// A family that this kit has no words for, by its number (`AF_VSOCK` is 40 on Linux).
    case other(family: Int)

    /// The port, where there is one.
    public var port: Int? {
        switch self {
        case .ipv4(_, let port), .ipv6(_, let port): port
        case .unix, .other: nil
        }
    }
}

extension SocketAddress: CustomStringConvertible {
    /// `127.0.0.1:4000`, `[::1]:4000`, the path, or `unix` where that has no name.
    public var description: String {
        switch self {
        case .ipv4(let host, let port): "\(host):\(port)"
        case .ipv6(let host, let port): "[\(host)]:\(port)"
        case .unix(let path): path ?? "unix"
        case .other(let family): "address family \(family)"
        }
    }
}

extension SocketAddress {
    init(_ address: csupervision_address) {
        let text = withUnsafeBytes(of: address.text) { bytes in
            String(decoding: bytes.prefix(Int(address.length)), as: UTF8.self)
        }
        switch address.family {
        case CSUPERVISION_FAMILY_INET: self = .ipv4(host: text, port: Int(address.port))
        case CSUPERVISION_FAMILY_INET6: self = .ipv6(host: text, port: Int(address.port))
        case CSUPERVISION_FAMILY_UNIX: self = .unix(path: text.isEmpty ? nil : text)
        default: self = .other(family: Int(address.raw_family))
        }
    }

    /// The address that a socket is bound to.
    package static func local(of descriptor: CInt) -> SocketAddress {
        var address = csupervision_address()
        csupervision_socket_local_address(descriptor, &address)
        return SocketAddress(address)
    }

    /// The address of the other end.
    ///
    /// - Throws: ``SocketError`` with code `notConnected` where there is none, or none any more.
    static func peer(of descriptor: CInt) throws(SocketError) -> SocketAddress {
        var address = csupervision_address()
        let failure = csupervision_socket_peer_address(descriptor, &address)
        guard failure == 0 else {
            throw SocketError(.notConnected, "descriptor \(descriptor) is not a connection", errno: -failure)
        }
        return SocketAddress(address)
    }
}
