import CSupervision

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The process's end of the journal's socket: connected, close-on-exec, and never waiting.
///
/// Its owner serialises the calls and closes it.
struct JournalSocket {
    enum Attempt {
        case sent
        case noJournal
        case full
        case tooLarge
        case failed(SystemdError)
    }

    private let path: String
    private var descriptor: CInt = -1

    /// The path fits into a socket's address.
    init(path: String) {
        self.path = path
    }

    /// Sends an entry's bytes as one datagram.
    mutating func send(_ bytes: [UInt8]) -> Attempt {
        attempt { csupervision_rights_send($0, bytes, bytes.count, nil, 0) }
    }

    /// Sends a file with an entry's bytes in it.
    mutating func send(file: CInt) -> Attempt {
        attempt { csupervision_rights_send($0, nil, 0, [file], 1) }
    }

    mutating func close() {
        if descriptor >= 0 { closeDescriptor(descriptor) }
        descriptor = -1
    }

    /// A journal that came back behind the same address is connected to anew, once.
    private mutating func attempt(_ send: (CInt) -> CInt) -> Attempt {
        var failure = open()
        if failure == 0 { failure = -send(descriptor) }
        if Self.saysGone(failure) {
            close()
            failure = open()
            if failure == 0 { failure = -send(descriptor) }
        }
        switch failure {
        case 0: return .sent
        case ENOENT, ECONNREFUSED: return .noJournal
        // Too many references: as many files wait there as this user may have open.
        case EAGAIN, ETOOMANYREFS: return .full
        case EMSGSIZE, ENOBUFS: return .tooLarge
        case let number:
            return .failed(
                .system(.sendFailed, "cannot send to the journal's socket \(path)", errno: number)
            )
        }
    }

    /// Connects if it is not connected; gives 0 or the errno.
    private mutating func open() -> CInt {
        guard descriptor < 0 else { return 0 }
        let bytes = Array(path.utf8)
        let result = csupervision_notify_connect(bytes, bytes.count)
        guard result >= 0 else { return -result }
        descriptor = result
        raiseSendBuffer()
        return 0
    }

    /// Makes room for large entries, as far as the system allows.
    private func raiseSendBuffer() {
        var size: CInt = 8 * 1024 * 1024
        let length = socklen_t(MemoryLayout<CInt>.size)
        #if os(Linux)
            // Beyond net.core.wmem_max, where this process is privileged.
            if setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &size, length) == 0 { return }
        #endif
        _ = setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, length)
    }

    private static func saysGone(_ number: CInt) -> Bool {
        [ECONNREFUSED, ECONNRESET, ENOTCONN, EPIPE].contains(number)
    }
}
