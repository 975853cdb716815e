internal import CSupervision

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Wakes a thread that waits in poll(2).
///
/// A signal that comes before the waiting ends it at once.
final class WakePipe: Sendable {
    private let readEnd: CInt
    private let writeEnd: CInt

    /// Opens the pipe.
    ///
    /// - Throws: ``SocketError`` with code `systemError`.
    init() throws {
        var readEnd: CInt = -1
        var writeEnd: CInt = -1
        let failure = csupervision_wake_open(&readEnd, &writeEnd)
        guard failure == 0 else {
            throw SocketError(
                .systemError,
                "cannot open the pipe that wakes an accepting thread",
                errno: -failure
            )
        }
        self.readEnd = readEnd
        self.writeEnd = writeEnd
    }

    deinit {
        closeDescriptor(readEnd)
        closeDescriptor(writeEnd)
    }

    /// Wakes the thread, from any thread.
    func signal() {
        var byte: UInt8 = 0
        // A full pipe wakes as well.
        _ = write(writeEnd, &byte, 1)
    }

    /// Waits for a signal, or for something to read on a descriptor, or a while, rounded up to a millisecond.
    func wait(orUntilReadable descriptor: CInt = -1, atMost limit: Duration? = nil) {
        let readable = csupervision_poll_readable(descriptor, readEnd, limit.map(Self.milliseconds) ?? -1)
        guard readable & 2 != 0 else { return }
        var bytes: UInt64 = 0
        while read(readEnd, &bytes, 8) == 8 {}
    }

    /// Whether there is something to read now.
    func isReadable(_ descriptor: CInt) -> Bool {
        csupervision_poll_readable(descriptor, -1, 0) & 1 != 0
    }

    private static func milliseconds(_ duration: Duration) -> CInt {
        let (seconds, attoseconds) = duration.components
        guard seconds < Int64(CInt.max) / 1000 else { return .max }
        return CInt(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
