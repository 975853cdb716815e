import Glibc
import Systemd
import Testing

/// A journal's socket: a real one, read by the test itself.
final class FakeJournal {
    let journal: Journal
    private let descriptor: CInt
    private let directory: String

    init() throws {
        // Not TMPDIR: a socket's path has room for 107 bytes. mkdtemp makes a new directory that nobody else may enter,
        // so that the name cannot be guessed or taken before; it goes with the journal.
        var template = Array("/tmp/journal-logging-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        let path = "\(directory)/socket"
        journal = try Journal(path: path)

        descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        try #require(result == 0, "bind: errno \(errno)")
    }

    deinit {
        close(descriptor)
        unlink("\(directory)/socket")
        rmdir(directory)
    }

    /// The next entry, byte for byte.
    ///
    /// Never waits: what was sent to a socket of this machine is there when sending returns.
    func next() -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = recv(descriptor, &bytes, bytes.count, CInt(MSG_DONTWAIT))
        return count < 0 ? nil : Array(bytes[..<count])
    }

    /// The next entry's lines; nothing where there is none.
    func nextLines() -> [String] {
        String(decoding: next() ?? [], as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
