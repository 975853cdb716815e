public import DaemonKit
import Glibc

/// Plain sockets for the tests.
public enum Client {
    /// What a socket carries.
    public enum SocketType: Sendable {
        /// TCP.
        case stream
        /// UDP.
        case datagrams

        fileprivate var number: CInt {
            CInt((self == .stream ? SOCK_STREAM : SOCK_DGRAM).rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        }
    }

    /// Connects to a port of an IPv4 address.
    ///
    /// Datagrams go over it as well, each read and each write one of them.
    public static func connect(_ type: SocketType, host: String = "127.0.0.1", port: Int) throws -> Connection
    {
        let descriptor = socket(AF_INET, type.number, 0)
        guard withAddress(host, port, { Glibc.connect(descriptor, $0, $1) }) == 0 else {
            let failure = Program.Failure("cannot connect to \(host):\(port): errno \(errno)")
            close(descriptor)
            throw failure
        }
        return try Connection(adopting: descriptor)
    }

    /// A socket as a socket unit makes it; it listens where it is a stream.
    ///
    /// - Returns: Its descriptor, the caller's to close, and its port.
    public static func bind(_ type: SocketType, port: Int = 0) throws -> (descriptor: CInt, port: Int) {
        let descriptor = socket(AF_INET, type.number, 0)
        guard withAddress("127.0.0.1", port, { Glibc.bind(descriptor, $0, $1) }) == 0,
            type == .datagrams || listen(descriptor, 16) == 0
        else {
            let failure = Program.Failure("cannot bind port \(port): errno \(errno)")
            close(descriptor)
            throw failure
        }
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            _ = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &size)
            }
        }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    private static func withAddress(
        _ host: String,
        _ port: Int,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt
    ) -> CInt {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        return withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}

extension Connection {
    /// Everything until the end, as text.
    public func readAll() async throws -> String {
        var all: [UInt8] = []
        while case let bytes = try await read(), !bytes.isEmpty { all += bytes }
        return String(decoding: all, as: UTF8.self)
    }
}
