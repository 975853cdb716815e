#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The stream by which the journal reads this process's standard output or error: what `JOURNAL_STREAM` says.
///
/// The variable is inherited by programs whose output goes elsewhere, so it says nothing by itself: ask
/// ``isOpen(as:)``.
///
/// ```swift
/// let isJournal = ServiceEnvironment.take().journalStream?.isOpen(as: 2) ?? false
/// print(isJournal ? JournalPriority.warning.prefixed("low on space") : "low on space")
/// ```
///
/// - Note: Source: systemd `systemd.exec`, `$JOURNAL_STREAM`.
public struct JournalStream: Sendable, Hashable {
    /// The number of the device that the stream's inode is on.
    public let device: UInt64

    /// The number of the stream's inode.
    public let inode: UInt64

    /// Names a stream.
    ///
    /// - Parameters:
    ///   - device: The number of the device that its inode is on.
    ///   - inode: The number of its inode.
    public init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }

    /// Whether a descriptor is this stream, and what is written to it goes to the journal.
    ///
    /// Asked from the kernel each time: a descriptor can be redirected.
    ///
    /// - Parameter descriptor: The descriptor, such as 2 for standard error.
    /// - Returns: Whether it is; false when it is not open.
    public func isOpen(as descriptor: CInt) -> Bool {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return false }
        return UInt64(truncatingIfNeeded: status.st_dev) == device
            && UInt64(truncatingIfNeeded: status.st_ino) == inode
    }
}
