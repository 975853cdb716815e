internal import CSystem

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// The file of a Unix socket: a path, and which file that was.
struct SocketFile {
    let path: String
    let device: UInt64
    let inode: UInt64

    /// The socket that a path names now; nil where it names none.
    init?(at path: String) {
        var identity = csystem_file_identity()
        guard csystem_unix_path_identity(path, &identity) == 0 else { return nil }
        self.init(path: path, identity)
    }

    init(path: String, _ identity: csystem_file_identity) {
        self.path = path
        self.device = identity.device
        self.inode = identity.inode
    }

    /// Removes it, unless the path names another file by now.
    func remove() {
        guard let now = SocketFile(at: path), now.device == device, now.inode == inode else { return }
        unlink(path)
    }
}
