#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// What to do when accepting, or receiving, fails: decisions alone, no system call and no clock.
struct AcceptPolicy: Equatable {
    enum Action: Equatable {
        /// The backlog is empty.
        case wait

        /// That connection is lost, the next may not be.
        case goOn

        /// Nothing can be accepted at present. `isNews` the first time, until the backlog has been emptied.
        case pause(Duration, isNews: Bool)

        /// The socket will never accept again.
        case giveUp
    }

    /// accept(2) passes on the errors of a connection that it takes off the backlog.
    ///
    /// One that fails so again and again, as under a filter of system calls, must not keep a processor busy.
    static let failuresInARow = 16

    var firstPause: Duration = .milliseconds(50)
    var longestPause: Duration = .seconds(1)

    private var failures = 0
    private var pauses = 0
    private var isReported = false

    init(firstPause: Duration = .milliseconds(50), longestPause: Duration = .seconds(1)) {
        self.firstPause = firstPause
        self.longestPause = longestPause
    }

    mutating func accepted() {
        failures = 0
        pauses = 0
    }

    mutating func failed(_ error: CInt) -> Action {
        #if os(Linux)
            if error == ENONET { return lost() }
        #endif
        switch error {
        case EAGAIN:
            accepted()
            isReported = false
            return .wait
        case EINTR:
            return .goOn
        case EBADF, EINVAL, ENOTSOCK, EFAULT:
            return .giveUp
        case ECONNABORTED, EPROTO, EPERM, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENOPROTOOPT,
            EOPNOTSUPP,
            ETIMEDOUT, ECONNRESET, ECONNREFUSED:
            // The last one is of datagrams: what ICMP told of one that was sent.
            return lost()
        default:
            // EMFILE, ENFILE, ENOBUFS, ENOMEM, and what no manual speaks of.
            return pause()
        }
    }

    private mutating func lost() -> Action {
        failures += 1
        return failures < Self.failuresInARow ? .goOn : pause()
    }

    private mutating func pause() -> Action {
        defer {
            pauses += 1
            isReported = true
        }
        // Six doublings are beyond every sensible limit, and below every overflow.
        let length = min(longestPause, firstPause * (1 << min(pauses, 6)))
        return .pause(length, isNews: !isReported)
    }
}
