import CSupervision
import Glibc

/// The descriptors that this process has open.
func openDescriptors() -> Set<CInt> {
    Set((0..<1024).filter { fcntl($0, F_GETFD) >= 0 })
}

/// A close-on-exec pipe that never waits.
func makePipe() -> (read: CInt, write: CInt) {
    var ends: (read: CInt, write: CInt) = (-1, -1)
    return csupervision_wake_open(&ends.read, &ends.write) == 0 ? ends : (-1, -1)
}
