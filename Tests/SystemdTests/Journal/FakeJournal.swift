import Glibc
import Testing

@testable import Systemd

/// A journal's socket behind a path: a real one, read by the test itself.
struct FakeJournal {
    let path: String
    private let descriptor: CInt

    /// Binds the socket; whoever makes one closes it.
    init(at path: String) throws {
        self.path = path
        descriptor = try TestSocket.unixDatagram(at: Array(path.utf8))
        // So that a test whose entry never comes fails; none that passes waits for this.
        var patience = timeval(tv_sec: 60, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        try #require(setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, size) == 0)
    }

    func close() {
        closeDescriptor(descriptor)
    }

    /// What one datagram brought.
    struct Delivery {
        let bytes: [UInt8]
        /// Close-on-exec; the receiver's to close.
        let descriptors: [CInt]

        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    /// Waits for a datagram.
    func next() throws -> Delivery {
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        var control = [UInt](repeating: 0, count: 64)
        let room = control.count * MemoryLayout<UInt>.size
        let (count, filled) = bytes.withUnsafeMutableBytes { bytes in
            control.withUnsafeMutableBytes { control in
                var part = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
                return withUnsafeMutablePointer(to: &part) { part in
                    var message = msghdr()
                    message.msg_iov = part
                    message.msg_iovlen = 1
                    message.msg_control = control.baseAddress
                    message.msg_controllen = room
                    let count = recvmsg(descriptor, &message, CInt(MSG_CMSG_CLOEXEC))
                    return (count, message.msg_controllen)
                }
            }
        }
        try #require(count >= 0, "recvmsg: errno \(errno)")
        return Delivery(
            bytes: Array(bytes[..<count]),
            descriptors: control.withUnsafeBytes { Self.descriptors(in: $0[..<filled]) }
        )
    }

    // A cmsghdr is a length, a level and a type, and then come the descriptors.
    private static func descriptors(in control: Slice<UnsafeRawBufferPointer>) -> [CInt] {
        let control = UnsafeRawBufferPointer(rebasing: control)
        let head = MemoryLayout<cmsghdr>.size
        guard control.count >= head else { return [] }
        let header = control.load(as: cmsghdr.self)
        guard header.cmsg_level == SOL_SOCKET, header.cmsg_type == CInt(SCM_RIGHTS) else {
            return []
        }
        let count = (Int(header.cmsg_len) - head) / MemoryLayout<CInt>.size
        return (0..<count).map {
            control.load(fromByteOffset: head + $0 * MemoryLayout<CInt>.size, as: CInt.self)
        }
    }
}

/// A fresh directory with a journal that listens in it, and a sender to it.
func withFakeJournal(_ body: (FakeJournal, Journal) throws -> Void) throws {
    try withTemporaryDirectory { directory in
        let fake = try FakeJournal(at: "\(directory)/socket")
        defer { fake.close() }
        try body(fake, Journal(path: fake.path))
    }
}

/// What this process has open, of what begins so in `/proc/self/fd`.
///
/// Not everything: the test library and Dispatch open files of their own when they like.
func openFiles(_ beginnings: String...) -> [String] {
    let links = (0..<1024).compactMap { descriptor -> String? in
        var link = [CChar](repeating: 0, count: 256)
        let count = readlink("/proc/self/fd/\(descriptor)", &link, link.count)
        return count < 0
            ? nil : String(decoding: link.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
    return links.filter { link in beginnings.contains { link.hasPrefix($0) } }
}
