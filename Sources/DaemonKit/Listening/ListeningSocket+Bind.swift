internal import CSupervision

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

extension ListeningSocket {
    /// Binds an endpoint, and listens: what a listener does where no socket was passed.
    ///
    /// TCP sockets have SO_REUSEADDR, so that a restart need not wait for old connections to time out. Asks no
    /// resolver, and so does not block.
    ///
    /// - Parameters:
    ///   - endpoint: Where.
    ///   - backlog: How many connections may wait to be accepted, at least 1; default 4096. The kernel cuts it at
    ///     `net.core.somaxconn`.
    ///   - name: What to call it.
    /// - Returns: The socket, of origin ``Origin/bound``. Clients can connect from now on.
    /// - Throws: ``SocketError`` with code `invalidEndpoint` where no machine could bind that, or `cannotBind` where
    ///   this one does not: in use (EADDRINUSE), not permitted (EACCES), not its address (EADDRNOTAVAIL), …
    public static func bind(
        _ endpoint: Endpoint,
        backlog: Int = 4096,
        name: String
    ) throws -> ListeningSocket {
        guard backlog >= 1 else {
            let message = "cannot bind \(endpoint) for \"\(name)\": backlog \(backlog); at least 1 is needed"
            throw SocketError(.invalidEndpoint, message)
        }
        let length = CInt(clamping: backlog)
        switch endpoint {
        case .port(let port):
            return try bind(endpoint, host: nil, port: port, backlog: length, name: name)
        case .host(let host, let port):
            guard csupervision_host_is_numeric(host) == 1, !host.utf8.contains(0) else {
                throw SocketError(
                    .invalidEndpoint,
                    "cannot bind \(endpoint) for \"\(name)\": \"\(host)\" is not an IPv4 or IPv6 address; "
                        + "names are not looked up: write 127.0.0.1, ::1 or the address meant"
                )
            }
            return try bind(endpoint, host: host, port: port, backlog: length, name: name)
        case .unix(let path):
            return try bindUnix(path, backlog: length, name: name)
        }
    }

    private static func bind(
        _ endpoint: Endpoint,
        host: String?,
        port: Int,
        backlog: CInt,
        name: String
    ) throws -> ListeningSocket {
        guard (0...65535).contains(port) else {
            let message =
                "cannot bind \(endpoint) for \"\(name)\": ports are from 0 (any that is free) to 65535"
            throw SocketError(.invalidEndpoint, message)
        }
        var step: UnsafePointer<CChar>?
        let descriptor =
            if let host {
                csupervision_socket_bind_inet(host, CInt(port), backlog, &step)
            } else {
                csupervision_socket_bind_inet(nil, CInt(port), backlog, &step)
            }
        return try adopt(descriptor, step: step, of: "\(endpoint)", name: name, file: nil)
    }

    private static func bindUnix(_ path: String, backlog: CInt, name: String) throws -> ListeningSocket {
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
        var step: UnsafePointer<CChar>?
        var descriptor = csupervision_socket_bind_unix(bytes, bytes.count, backlog, &step)
        if descriptor == -ENAMETOOLONG {
            let message =
                "cannot bind \"\(path)\" for \"\(name)\": \(bytes.count) bytes; "
                + "the system has room for about 100 in a socket's path"
            throw SocketError(.invalidEndpoint, message)
        }
        if descriptor == -EADDRINUSE, !isAbstract {
            try removeStale(path, name: name)
            descriptor = csupervision_socket_bind_unix(bytes, bytes.count, backlog, &step)
        }
        let file = descriptor >= 0 && !isAbstract ? SocketFile(at: path) : nil
        return try adopt(descriptor, step: step, of: path, name: name, file: file)
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

    private static func adopt(
        _ descriptor: CInt,
        step: UnsafePointer<CChar>?,
        of endpoint: String,
        name: String,
        file: SocketFile?
    ) throws -> ListeningSocket {
        guard descriptor >= 0 else {
            let call = step.map { String(cString: $0) } ?? "bind"
            let message = "cannot \(call == "bind" ? "bind" : "\(call)() for") \(endpoint) for \"\(name)\""
            throw SocketError(.cannotBind, message, errno: -descriptor)
        }
        do {
            return try ListeningSocket(adopting: descriptor, name: name, origin: .bound, file: file)
        } catch {
            closeDescriptor(descriptor)
            throw error
        }
    }
}
