import Glibc
import Testing

/// Real sockets of each kind; whoever makes one closes it.
enum TestSocket {
    /// Listens on a free port of every address, for IPv4 clients too.
    static func inet6Listener() throws -> CInt {
        let descriptor = socket(AF_INET6, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        try bind(descriptor, &address)
        try #require(listen(descriptor, 16) == 0)
        return descriptor
    }

    /// A datagram socket on a free port of the loopback address.
    static func inetDatagram() throws -> CInt {
        let descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        try bind(descriptor, &address)
        return descriptor
    }

    /// Listens behind a path, or, with a NUL first, an abstract name.
    static func unixListener(at path: [UInt8], type: __socket_type = SOCK_STREAM) throws -> CInt {
        let descriptor = try unixSocket(at: path, type: type)
        try #require(listen(descriptor, 16) == 0)
        return descriptor
    }

    private static func unixSocket(at path: [UInt8], type: __socket_type) throws -> CInt {
        let descriptor = socket(AF_UNIX, CInt(type.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.bind(descriptor, $0, length) }
        }
        try #require(result == 0, "bind: errno \(errno)")
        return descriptor
    }

    /// A datagram socket behind a path, or, with a NUL first, an abstract name.
    static func unixDatagram(at path: [UInt8]) throws -> CInt {
        try unixSocket(at: path, type: SOCK_DGRAM)
    }

    /// Two connected ends.
    static func pair(_ type: __socket_type) throws -> (CInt, CInt) {
        var ends: [CInt] = [-1, -1]
        try #require(socketpair(AF_UNIX, CInt(type.rawValue), 0, &ends) == 0)
        return (ends[0], ends[1])
    }

    private static func bind<Address>(_ descriptor: CInt, _ address: inout Address) throws {
        let length = socklen_t(MemoryLayout<Address>.size)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.bind(descriptor, $0, length) }
        }
        try #require(result == 0, "bind: errno \(errno)")
    }
}

/// A fresh directory under `/tmp`, removed with what is in it.
func withTemporaryDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
    // Not TMPDIR: a socket's path has room for 107 bytes. mkdtemp makes a new directory that nobody else may enter.
    var template = Array("/tmp/systemd-tests-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    defer {
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                unlink("\(path)/\(name)")
            }
            closedir(directory)
        }
        rmdir(path)
    }
    return try body(path)
}
