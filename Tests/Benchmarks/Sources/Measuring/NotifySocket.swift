#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where notifications arrive: a datagram socket in a directory of its own.
public final class NotifySocket: Sendable {
    /// How many messages may be sent before they are read: with fewer than `net.unix.max_dgram_qlen` none has to wait.
    public static let room = 8

    /// What `NOTIFY_SOCKET` would say.
    public let path: String

    private let descriptor: CInt

    /// Binds the socket.
    ///
    /// - Throws: ``Wrong`` when there can be none.
    public init() throws {
        // Not TMPDIR: a socket's path has room for 107 bytes. mkdtemp makes a new directory that nobody else may enter.
        var template = Array("/tmp/benchmarks-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Wrong("no directory for a socket, errno \(errno)") }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self) + "/notify"
        descriptor = try datagramSocket(bind, path)
    }

    deinit {
        close(descriptor)
        unlink(path)
        rmdir(String(path.dropLast("/notify".utf8.count)))
    }

    /// A socket that is connected to this one, to be closed by the caller.
    ///
    /// - Returns: Its descriptor.
    /// - Throws: ``Wrong`` when there can be none.
    public func connected() throws -> CInt {
        try datagramSocket(connect, path)
    }

    /// Reads messages that have been sent.
    ///
    /// - Parameters:
    ///   - count: How many.
    ///   - bytes: What each must be.
    /// - Throws: ``Wrong`` when one is missing or is another.
    public func expect(_ count: Int, _ bytes: [UInt8]) throws {
        var found = [UInt8](repeating: 0, count: 4_096)
        for _ in 0..<count {
            let length = recv(descriptor, &found, found.count, CInt(MSG_DONTWAIT))
            guard length >= 0, found.prefix(length) == bytes[...] else {
                throw Wrong("a message has \(length) bytes, not the \(bytes.count) that were sent")
            }
        }
    }
}

private func datagramSocket(
    _ attach: (CInt, UnsafePointer<sockaddr>, socklen_t) -> CInt,
    _ path: String
) throws -> CInt {
    #if canImport(Glibc)
        let descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0)
    #else
        let descriptor = socket(AF_UNIX, SOCK_DGRAM, 0)
    #endif
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let result = withUnsafePointer(to: &address) { address in
        address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            attach(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
    guard result == 0 else {
        let number = errno
        close(descriptor)
        throw Wrong("no socket at \(path), errno \(number)")
    }
    return descriptor
}
