import CSupervision
import Glibc
import Systemd

/// The sockets, pipes and files that this process has open.
///
/// Only in a process of the test's own: timers and the like, which the libraries open at any time, are left
/// out, yet other tests open what these do. Count nothing by it: one that the test's process was started with may
/// close, and its number be used again.
func openDescriptors() -> Set<CInt> {
    let kinds: Set<DescriptorKind> = [.streamListener, .datagram, .connection, .fifo, .file]
    return Set((0..<1024).filter { kinds.contains(PassedDescriptor(number: $0).kind) })
}

/// How many of this process's descriptors are of one and the same file.
func copies(of descriptor: CInt) -> Int {
    var own = stat()
    guard fstat(descriptor, &own) == 0 else { return 0 }
    return (0..<1024 as Range<CInt>).count {
        var other = stat()
        return fstat($0, &other) == 0 && other.st_ino == own.st_ino && other.st_dev == own.st_dev
    }
}

/// A close-on-exec pipe that never waits.
func makePipe() -> (read: CInt, write: CInt) {
    var ends: (read: CInt, write: CInt) = (-1, -1)
    return csupervision_wake_open(&ends.read, &ends.write) == 0 ? ends : (-1, -1)
}
