import CSupervision

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
package struct WakeableThread: Sendable {
    /// What a thread waits for besides being woken; a negative descriptor is nothing.
    package enum Event: Equatable {
        case readable(CInt)
        case writable(CInt)
        /// Out of the ordinary: a pressure file whose threshold was passed.
        case exceptional(CInt)
        /// Nothing but the end, which the others notice too.
        case hangup(CInt)

        fileprivate var watched: pollfd {
            switch self {
            case .readable(let descriptor): pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            case .writable(let descriptor): pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            case .exceptional(let descriptor): pollfd(fd: descriptor, events: Int16(POLLPRI), revents: 0)
            case .hangup(let descriptor): pollfd(fd: descriptor, events: 0, revents: 0)
            }
        }
    }

    /// What has happened to a descriptor.
    package struct Happening: Sendable, Equatable {
        /// Whether it is as the event says.
        package let isReady: Bool
        /// Whether the other end has gone or the descriptor is in error.
        package let isBroken: Bool

        fileprivate init(_ watched: pollfd) {
            isReady = watched.revents & watched.events != 0
            isBroken = watched.revents & Int16(POLLHUP | POLLERR | POLLNVAL) != 0
        }
    }

    /// The thread's own end of the pipe.
    package struct Alarm: Sendable {
        fileprivate let readEnd: CInt

        /// Waits until it is woken, until one of the events, or until the time is up.
        ///
        /// - Parameters:
        ///   - events: What to watch.
        ///   - milliseconds: How long at most; negative for no limit.
        /// - Returns: What has happened, in the order of the events.
        @discardableResult
        package func wait(orAny events: [Event], milliseconds: CInt = -1) -> [Happening] {
            var watched = [pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)] + events.map(\.watched)
            // What poll leaves behind when it fails is not said to be anything.
            if poll(&watched, nfds_t(watched.count), milliseconds) < 0 {
                for index in watched.indices { watched[index].revents = 0 }
            }
            if watched[0].revents != 0 {
                var bytes = [UInt8](repeating: 0, count: 64)
                while read(readEnd, &bytes, bytes.count) == bytes.count {}
            }
            return watched.dropFirst().map { Happening($0) }
        }

        /// Waits until it is woken, until the event, or until the time is up.
        ///
        /// - Parameters:
        ///   - event: What to watch.
        ///   - milliseconds: How long at most; negative for no limit.
        package func wait(or event: Event, milliseconds: CInt = -1) {
            wait(orAny: [event], milliseconds: milliseconds)
        }
    }

    private let alarm: Alarm
    private let writeEnd: CInt
    private let thread: csupervision_thread

    private final class Body {
        let run: @Sendable (Alarm) -> Void
        let alarm: Alarm

        init(run: @escaping @Sendable (Alarm) -> Void, alarm: Alarm) {
            self.run = run
            self.alarm = alarm
        }
    }

    /// Starts a thread.
    ///
    /// - Parameters:
    ///   - name: At most 15 bytes.
    ///   - run: What it does; it ends when this returns.
    /// - Throws: ``SystemdError`` with code `sendFailed` when the system refuses a pipe or a thread.
    package init(name: String, run: @escaping @Sendable (Alarm) -> Void) throws(SystemdError) {
        var readEnd: CInt = -1
        var writeEnd: CInt = -1
        var failure = csupervision_wake_open(&readEnd, &writeEnd)
        guard failure == 0 else {
            throw .system(.sendFailed, "cannot open a pipe for the sending thread", errno: -failure)
        }
        alarm = Alarm(readEnd: readEnd)
        self.writeEnd = writeEnd

        let body = Unmanaged.passRetained(Body(run: run, alarm: alarm))
        var thread = csupervision_thread()
        failure = csupervision_thread_start(
            &thread,
            name,
            { context in
                guard let context else { return }
                let body = Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
                body.run(body.alarm)
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
    package func wake() {
        var byte: UInt8 = 1
        // A full pipe has enough in it to wake.
        _ = write(writeEnd, &byte, 1)
    }

    /// Waits until the thread has ended, and frees it.
    ///
    /// Not from the thread itself.
    package func join() {
        csupervision_thread_join(thread)
        closeDescriptor(alarm.readEnd)
        closeDescriptor(writeEnd)
    }
}
