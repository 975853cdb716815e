internal import CSupervision

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// The file of a Unix socket: a path, and which file that was.
///
/// Keeps the file's inode in use, so that a later file at the path is never taken for it.
final class SocketFile: Sendable {
    private let path: String
    private let device: UInt64
    private let inode: UInt64
    private let pin: CInt

    /// The socket that a path names now; nil where it names none.
    init?(at path: String) {
        let pin = csupervision_unix_path_pin(path)
        var identity = csupervision_file_identity()
        guard csupervision_unix_path_identity(path, &identity) == 0 else {
            if pin >= 0 { closeDescriptor(pin) }
            return nil
        }
        self.path = path
        self.device = identity.device
        self.inode = identity.inode
        self.pin = pin
    }

    deinit {
        if pin >= 0 { closeDescriptor(pin) }
    }

    /// Removes it, unless the path names another file by now.
    func remove() {
        var now = csupervision_file_identity()
        guard csupervision_unix_path_identity(path, &now) == 0 else { return }
        if now.device == device, now.inode == inode { unlink(path) }
    }
}
