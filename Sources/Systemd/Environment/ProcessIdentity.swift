import CSupervision

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Who a process is: what a service manager's variables are checked against.
///
/// A pid is used again after its process has ended; the inode of a pidfd is not. The manager names both.
public struct ProcessIdentity: Sendable, Hashable {
    /// The process's id, compared with `LISTEN_PID`, `WATCHDOG_PID` and `SYSTEMD_EXEC_PID`.
    public let pid: Int32

    /// The inode of the process's pidfd, compared with `LISTEN_PIDFDID`.
    ///
    /// `nil` where it cannot be known (Linux before 6.9, other systems): then it is not compared.
    public let pidfdInode: UInt64?

    /// Names a process.
    ///
    /// - Parameters:
    ///   - pid: The process's id.
    ///   - pidfdInode: The inode of its pidfd; `nil`, the default, where it is not known.
    public init(pid: Int32, pidfdInode: UInt64? = nil) {
        self.pid = pid
        self.pidfdInode = pidfdInode
    }

    /// The calling process, asked from the kernel each time.
    public static var current: ProcessIdentity {
        var inode: UInt64 = 0
        let known = csupervision_own_pidfd_inode(&inode) == 0
        return ProcessIdentity(pid: getpid(), pidfdInode: known ? inode : nil)
    }
}

extension EnvironmentReader {
    /// The process that one variable names, and another one the inode of its pidfd.
    mutating func process(_ name: String, inode: String) -> ProcessIdentity? {
        let reading = number(name, in: 1...UInt64(Int32.max), meaning: "a process id")
        guard case .number(let pid) = reading else { return nil }
        guard case .number(let inode) = number(inode, in: 1...UInt64.max, meaning: "the inode of a pidfd")
        else {
            return ProcessIdentity(pid: Int32(pid))
        }
        return ProcessIdentity(pid: Int32(pid), pidfdInode: inode)
    }
}
