import CSystem

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A thread outside every pool that waits in poll, and that anyone can wake.
///
/// Whoever starts one joins it, once: that frees the thread and the pipe that wakes it.
struct WakeableThread: Sendable {
    /// The thread's own end of the pipe.
    struct Signal: Sendable {
        fileprivate let readEnd: CInt

        /// Waits until it is woken, until a descriptor can be written to, or until the time is up.
        ///
        /// - Parameters:
        ///   - descriptor: What to watch; negative for nothing.
        ///   - milliseconds: How long at most; negative for no limit.
        func wait(orWritable descriptor: CInt, milliseconds: CInt) {
            var watched = [
                pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0),
                pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0),
            ]
            guard poll(&watched, 2, milliseconds) > 0, watched[0].revents != 0 else { return }
            var bytes = [UInt8](repeating: 0, count: 64)
            while read(readEnd, &bytes, bytes.count) == bytes.count {}
        }
    }

    private let signal: Signal
    private let writeEnd: CInt
    private let thread: csystem_thread

    private final class Body {
        let run: @Sendable (Signal) -> Void
        let signal: Signal

        init(run: @escaping @Sendable (Signal) -> Void, signal: Signal) {
            self.run = run
            self.signal = signal
        }
    }

    init(name: String, run: @escaping @Sendable (Signal) -> Void) throws(SystemdError) {
        var readEnd: CInt = -1
        var writeEnd: CInt = -1
        var failure = csystem_wake_open(&readEnd, &writeEnd)
        guard failure == 0 else {
            throw .system(.sendFailed, "cannot open a pipe for the sending thread", errno: -failure)
        }
        signal = Signal(readEnd: readEnd)
        self.writeEnd = writeEnd

        let body = Unmanaged.passRetained(Body(run: run, signal: signal))
        var thread = csystem_thread()
        failure = csystem_thread_start(
            &thread,
            name,
            { context in
                guard let context else { return }
                let body = Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
                body.run(body.signal)
            },
            body.toOpaque()
        )
        guard failure == 0 else {
            body.release()
            closeDescriptor(readEnd)
            closeDescriptor(writeEnd)
            throw .system(.sendFailed, "cannot start the sending thread", errno: -failure)
        }
        self.thread = thread
    }

    /// Ends the thread's wait; one that is not waiting does not wait the next time.
    func wake() {
        var byte: UInt8 = 1
        // A full pipe has enough in it to wake.
        _ = write(writeEnd, &byte, 1)
    }

    /// Waits until the thread has ended, and frees it. Not from the thread itself.
    func join() {
        csystem_thread_join(thread)
        closeDescriptor(signal.readEnd)
        closeDescriptor(writeEnd)
    }
}
