internal import CSupervision

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// A socket that was just bound, and the file that came with it: nobody's yet.
struct BoundSocket {
    /// What it carries.
    enum SocketType {
        case stream
        case datagrams
        case sequentialPackets
    }

    let descriptor: CInt
    let file: SocketFile?

    /// Binds an endpoint, and listens unless it is for datagrams.
    ///
    /// - Throws: ``SocketError`` with code `invalidEndpoint` or `cannotBind`.
    init(_ endpoint: Endpoint, type: SocketType, backlog: CInt = 0, name: String) throws {
        var file: SocketFile?
        var step: UnsafePointer<CChar>?
        switch endpoint {
        case .port(let port):
            try Self.check(port, of: endpoint, type, name: name)
            descriptor = csupervision_socket_bind_inet(type.number, nil, CInt(port), backlog, &step)
        case .host(let host, let port):
            guard csupervision_host_is_numeric(host) == 1, !host.utf8.contains(0) else {
                throw SocketError(
                    .invalidEndpoint,
                    "cannot bind \(endpoint) for \"\(name)\": \"\(host)\" is not an IPv4 or IPv6 address; "
                        + "names are not looked up: write 127.0.0.1, ::1 or the address meant"
                )
            }
            try Self.check(port, of: endpoint, type, name: name)
            descriptor = csupervision_socket_bind_inet(type.number, host, CInt(port), backlog, &step)
        case .unix(let path):
            descriptor = try Self.bindUnix(path, type, backlog, name: name, &step)
            if descriptor >= 0, !path.hasPrefix("@") { file = SocketFile(at: path) }
        }
        self.file = file
        guard descriptor >= 0 else {
            let call = step.map { String(cString: $0) } ?? "bind"
            let message = "cannot \(call == "bind" ? "bind" : "\(call)() for") \(endpoint) for \"\(name)\""
            throw SocketError(.cannotBind, message, errno: -descriptor)
        }
    }

    private static func check(_ port: Int, of endpoint: Endpoint, _ type: SocketType, name: String) throws {
        guard type != .sequentialPackets else {
            let message =
                "cannot bind \(endpoint) for \"\(name)\": sequential packets are of Unix sockets alone; a path is needed"
            throw SocketError(.invalidEndpoint, message)
        }
        guard (0...65535).contains(port) else {
            let message =
                "cannot bind \(endpoint) for \"\(name)\": ports are from 0 (any that is free) to 65535"
            throw SocketError(.invalidEndpoint, message)
        }
    }

    private static func bindUnix(
        _ path: String,
        _ type: SocketType,
        _ backlog: CInt,
        name: String,
        _ step: inout UnsafePointer<CChar>?
    ) throws -> CInt {
        let isAbstract = path.hasPrefix("@")
        guard !path.isEmpty, path != "@", !path.utf8.contains(0) else {
            let message =
                "cannot bind \"\(path)\" for \"\(name)\": a path, or @ and a name, without NUL is needed"
            throw SocketError(.invalidEndpoint, message)
        }
        #if !os(Linux)
            guard !isAbstract else {
                let message =
                    "cannot bind \"\(path)\" for \"\(name)\": abstract names are Linux's alone; a path is needed"
                throw SocketError(.invalidEndpoint, message)
            }
        #endif

        var bytes = path.utf8.map { CChar(bitPattern: $0) }
        if isAbstract { bytes[0] = 0 }
        let descriptor = csupervision_socket_bind_unix(type.number, bytes, bytes.count, backlog, &step)
        if descriptor == -ENAMETOOLONG {
            let message =
                "cannot bind \"\(path)\" for \"\(name)\": \(bytes.count) bytes; "
                + "the system has room for about 100 in a socket's path"
            throw SocketError(.invalidEndpoint, message)
        }
        guard descriptor == -EADDRINUSE, !isAbstract else { return descriptor }
        try removeStale(path, name: name)
        return csupervision_socket_bind_unix(type.number, bytes, bytes.count, backlog, &step)
    }

    /// Removes the socket that a process left behind.
    ///
    /// What is no socket, or has a listener, stays.
    private static func removeStale(_ path: String, name: String) throws {
        let file = SocketFile(at: path)
        switch csupervision_unix_path_is_stale(path) {
        case 0:
            // Where another process was faster, the path names its file now, and that stays.
            file?.remove()
        case -ENOTSOCK:
            let message =
                "cannot bind \(path) for \"\(name)\": a file that is no socket is there, and is left alone"
            throw SocketError(.cannotBind, message)
        case -EADDRINUSE:
            let message = "cannot bind \(path) for \"\(name)\": another process listens there"
            throw SocketError(.cannotBind, message, errno: EADDRINUSE)
        default:
            // It went away, or cannot be looked at: binding again says which.
            break
        }
    }
}

extension BoundSocket.SocketType {
    fileprivate var number: csupervision_socket_type {
        switch self {
        case .stream: CSUPERVISION_SOCKET_STREAM
        case .datagrams: CSUPERVISION_SOCKET_DATAGRAM
        case .sequentialPackets: CSUPERVISION_SOCKET_SEQPACKET
        }
    }
}
