import DaemonKit
import Glibc

@testable import DaemonKit

/// Connects to a listening socket, as a client would.
enum TestClient {
    struct Refused: Error {
        var errorNumber: CInt
    }

    /// A connection that reads and writes as those of the kit do.
    ///
    /// With `isNamed` a Unix socket gets an abstract name, so that datagrams can be sent back.
    static func connect(
        to address: SocketAddress,
        type: __socket_type = SOCK_STREAM,
        isNamed: Bool = false
    ) throws -> Connection {
        let descriptor = try connectBlocking(to: address, type: type, isNamed: isNamed)
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        return Connection(
            adopting: descriptor,
            peer: address,
            in: ServingSession(name: "client", expectedSockets: 0),
            kind: type == SOCK_SEQPACKET ? .sequentialPackets : .stream
        )
    }

    /// A plain descriptor.
    ///
    /// It connects at once, as nothing but the kernel's backlog has a part in it.
    ///
    /// A new one, or a copy of the socket that it is made `from`.
    static func connectBlocking(
        to address: SocketAddress,
        type: __socket_type = SOCK_STREAM,
        from own: DatagramSocket? = nil,
        isNamed: Bool = false
    ) throws -> CInt {
        var storage = sockaddr_storage()
        let family: CInt
        let length: Int
        switch address {
        case .ipv4(let host, let port):
            family = AF_INET
            length = fill(&storage, as: sockaddr_in.self) { inet in
                inet.sin_family = sa_family_t(AF_INET)
                inet.sin_port = in_port_t(port).bigEndian
                inet_pton(AF_INET, host == "0.0.0.0" ? "127.0.0.1" : host, &inet.sin_addr)
            }
        case .ipv6(let host, let port):
            family = AF_INET6
            length = fill(&storage, as: sockaddr_in6.self) { inet in
                inet.sin6_family = sa_family_t(AF_INET6)
                inet.sin6_port = in_port_t(port).bigEndian
                inet_pton(AF_INET6, host == "::" ? "::1" : host, &inet.sin6_addr)
            }
        case .unix(let path):
            family = AF_UNIX
            let bytes = Array((path ?? "").utf8)
            length = fill(&storage, as: sockaddr_un.self) { unix in
                unix.sun_family = sa_family_t(AF_UNIX)
                withUnsafeMutableBytes(of: &unix.sun_path) { $0.copyBytes(from: bytes) }
                if bytes.first == UInt8(ascii: "@") { unix.sun_path.0 = 0 }
            }
            let used =
                MemoryLayout<sa_family_t>.size + bytes.count + (bytes.first == UInt8(ascii: "@") ? 0 : 1)
            return try connect(family, type, &storage, min(length, used), isNamed: isNamed)
        case .other:
            throw Refused(errorNumber: EAFNOSUPPORT)
        }
        return try connect(family, type, &storage, length, from: own)
    }

    /// A socket that is connected to nobody, and has sent a datagram to all of a network: each of them may answer.
    static func broadcast(_ text: String, to host: String, port: Int) throws -> Connection {
        var storage = sockaddr_storage()
        let length = fill(&storage, as: sockaddr_in.self) { inet in
            inet.sin_family = sa_family_t(AF_INET)
            inet.sin_port = in_port_t(port).bigEndian
            inet_pton(AF_INET, host, &inet.sin_addr)
        }
        let flags = CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_INET, flags, 0)
        var on: CInt = 1
        setsockopt(descriptor, SOL_SOCKET, SO_BROADCAST, &on, socklen_t(MemoryLayout<CInt>.size))
        let sent = withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, text, text.utf8.count, 0, $0, socklen_t(length))
            }
        }
        guard sent == text.utf8.count else {
            let refused = Refused(errorNumber: errno)
            close(descriptor)
            throw refused
        }
        return Connection(
            adopting: descriptor,
            peer: .ipv4(host: host, port: port),
            in: ServingSession(name: "client", expectedSockets: 0)
        )
    }

    private static func fill<Address>(
        _ storage: inout sockaddr_storage,
        as type: Address.Type,
        _ body: (inout Address) -> Void
    ) -> Int {
        withUnsafeMutableBytes(of: &storage) { bytes in
            bytes.withMemoryRebound(to: Address.self) { body(&$0[0]) }
        }
        return MemoryLayout<Address>.size
    }

    private static func connect(
        _ family: CInt,
        _ type: __socket_type,
        _ storage: inout sockaddr_storage,
        _ length: Int,
        from own: DatagramSocket? = nil,
        isNamed: Bool = false
    ) throws -> CInt {
        let descriptor =
            own.map { fcntl($0.descriptor, F_DUPFD_CLOEXEC, 3) }
            ?? socket(family, CInt(type.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        if isNamed {
            // A family and nothing else: the kernel finds a name.
            var own = sockaddr(sa_family: sa_family_t(family), sa_data: sockaddr().sa_data)
            guard bind(descriptor, &own, socklen_t(MemoryLayout<sa_family_t>.size)) == 0 else {
                throw Refused(errorNumber: errno)
            }
        }
        let result = withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(length))
            }
        }
        guard result == 0 else {
            let refused = Refused(errorNumber: errno)
            close(descriptor)
            throw refused
        }
        return descriptor
    }
}

extension Connection {
    /// Everything until the end.
    func readAll() async throws -> [UInt8] {
        var all: [UInt8] = []
        while true {
            let bytes = try await read()
            guard !bytes.isEmpty else { return all }
            all += bytes
        }
    }

    /// Sends a text and reads as much back.
    func roundTrip(_ text: String) async throws -> String {
        try await write(text)
        var back: [UInt8] = []
        while back.count < text.utf8.count {
            let bytes = try await read()
            guard !bytes.isEmpty else { break }
            back += bytes
        }
        return String(decoding: back, as: UTF8.self)
    }
}
