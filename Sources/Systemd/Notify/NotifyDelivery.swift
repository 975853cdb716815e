import CSupervision

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// One message on its way over a connection of its own: what a `vsock` stream or seqpacket socket needs.
///
/// The manager takes the end of the connection for the end of the message, and closes its side when it has read
/// it: connect, write, end the own side, wait for the other's end. No step waits; each says what to wait for.
struct NotifyDelivery {
    enum Progress: Equatable {
        case waits
        case done
        /// The positive errno.
        case failed(CInt)
    }

    private enum Phase {
        case connecting
        case writing
        case ending
    }

    private let socket: OwnedDescriptor
    private var rest: ArraySlice<UInt8>
    private var phase = Phase.connecting

    /// Takes a socket over that is connected or about to be.
    init(_ bytes: [UInt8], over socket: OwnedDescriptor) {
        self.socket = socket
        rest = bytes[...]
    }

    /// What the next step waits for.
    var event: WakeableThread.Event {
        switch phase {
        case .connecting, .writing: .writable(socket.number)
        case .ending: .readable(socket.number)
        }
    }

    /// Goes as far as it can without waiting.
    mutating func advance() -> Progress {
        while true {
            switch phase {
            case .connecting:
                guard isWritable else { return .waits }
                let failure = csupervision_connect_result(socket.number)
                guard failure == 0 else { return .failed(-failure) }
                phase = .writing
            case .writing:
                guard !rest.isEmpty else {
                    csupervision_socket_shutdown(socket.number, 1)
                    phase = .ending
                    continue
                }
                let count = rest.withUnsafeBytes {
                    csupervision_socket_write(socket.number, $0.baseAddress, $0.count)
                }
                if count == -Int(EAGAIN) { return .waits }
                guard count > 0 else { return .failed(CInt(-count)) }
                rest = rest.dropFirst(count)
            case .ending:
                var byte: UInt8 = 0
                let count = csupervision_socket_read(socket.number, &byte, 1)
                if count == -Int(EAGAIN) { return .waits }
                // A manager says nothing: whoever does is something else.
                return count == 0 ? .done : .failed(count > 0 ? EPROTO : CInt(-count))
            }
        }
    }

    private var isWritable: Bool {
        var watched = pollfd(fd: socket.number, events: Int16(POLLOUT), revents: 0)
        return poll(&watched, 1, 0) > 0
    }
}
