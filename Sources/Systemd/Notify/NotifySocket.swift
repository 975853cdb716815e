import CSupervision

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The process's end of the notification socket: connected, close-on-exec, and never waiting.
///
/// Its owner serialises the calls and closes it.
struct NotifySocket {
    enum Attempt {
        case sent
        case full
        case failed(SystemdError)
    }

    let address: NotifyAddress
    private(set) var descriptor: CInt = -1

    init(address: NotifyAddress) {
        self.address = address
    }

    /// Connects if it is not connected.
    ///
    /// A failure shows, and is tried again, at the next message.
    @discardableResult
    mutating func open() -> SystemdError? {
        guard descriptor < 0 else { return nil }
        let path = address.socketPath
        let result = csupervision_notify_connect(path, path.count)
        guard result >= 0 else {
            return .system(.sendFailed, "cannot connect to the manager's socket \(address)", errno: -result)
        }
        descriptor = result
        return nil
    }

    /// Sends one datagram; a manager that came back behind the same address is connected to anew, once.
    mutating func send(_ bytes: [UInt8]) -> Attempt {
        if let error = open() { return .failed(error) }
        var failure = csupervision_notify_send(descriptor, bytes, bytes.count)
        if Self.saysGone(-failure) {
            close()
            if let error = open() { return .failed(error) }
            failure = csupervision_notify_send(descriptor, bytes, bytes.count)
        }
        switch -failure {
        case 0: return .sent
        case EAGAIN: return .full
        case let number:
            return .failed(
                .system(.sendFailed, "cannot send to the manager's socket \(address)", errno: number)
            )
        }
    }

    mutating func close() {
        if descriptor >= 0 { closeDescriptor(descriptor) }
        descriptor = -1
    }

    private static func saysGone(_ number: CInt) -> Bool {
        [ECONNREFUSED, ECONNRESET, ENOTCONN, ENOENT, EPIPE].contains(number)
    }
}

// Inside a type with a close of its own the system's is out of reach.
package func closeDescriptor(_ descriptor: CInt) {
    _ = close(descriptor)
}
