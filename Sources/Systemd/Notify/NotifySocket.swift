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
        /// Part of it has left: nothing else may before the rest has.
        case underWay
        case failed(SystemdError)
    }

    let address: NotifyAddress
    private var descriptor: CInt = -1
    private var delivery: NotifyDelivery?

    init(address: NotifyAddress) {
        self.address = address
    }

    /// What to wait for when the last attempt was full or is under way.
    var event: WakeableThread.Event {
        delivery?.event ?? .writable(descriptor)
    }

    /// Connects if it is not connected.
    ///
    /// A failure shows, and is tried again, at the next message. A connection that carries one message alone
    /// is made when there is one.
    mutating func open() {
        if address.vsock == nil { _ = openDatagram() }
    }

    /// Sends one message.
    mutating func send(_ bytes: [UInt8], _ descriptors: [OwnedDescriptor] = []) -> Attempt {
        guard let vsock = address.vsock else { return sendDatagram(bytes, descriptors) }
        guard descriptors.isEmpty else {
            return .failed(
                SystemdError(
                    .unsupportedAddress,
                    "descriptors do not travel to \(address): only a Unix socket takes them"
                )
            )
        }
        if descriptor >= 0 { return sendDatagram(bytes, []) }
        return deliver(bytes, to: vsock)
    }

    mutating func close() {
        if descriptor >= 0 { closeDescriptor(descriptor) }
        descriptor = -1
        delivery = nil
    }
}

// MARK: - Datagrams

extension NotifySocket {
    private mutating func openDatagram() -> SystemdError? {
        guard descriptor < 0 else { return nil }
        let path = address.socketPath
        let result = csupervision_notify_connect(path, path.count)
        guard result >= 0 else { return connectError(-result) }
        descriptor = result
        return nil
    }

    /// Sends one datagram; a manager that came back behind the same address is connected to anew, once.
    private mutating func sendDatagram(_ bytes: [UInt8], _ descriptors: [OwnedDescriptor]) -> Attempt {
        if address.vsock == nil, let error = openDatagram() { return .failed(error) }
        var failure = sendNow(bytes, descriptors)
        if Self.saysGone(-failure) {
            close()
            if let vsock = address.vsock { return deliver(bytes, to: vsock) }
            if let error = openDatagram() { return .failed(error) }
            failure = sendNow(bytes, descriptors)
        }
        switch -failure {
        case 0: return .sent
        case EAGAIN: return .full
        case let number: return .failed(sendError(number))
        }
    }

    private func sendNow(_ bytes: [UInt8], _ descriptors: [OwnedDescriptor]) -> CInt {
        // The kernel takes references of its own: the descriptors need not outlive the call.
        withExtendedLifetime(descriptors) {
            csupervision_rights_send(
                descriptor,
                bytes,
                bytes.count,
                descriptors.map(\.number),
                descriptors.count
            )
        }
    }

    private static func saysGone(_ number: CInt) -> Bool {
        [ECONNREFUSED, ECONNRESET, ENOTCONN, ENOENT, EPIPE].contains(number)
    }
}

// MARK: - Connections

extension NotifySocket {
    private mutating func deliver(_ bytes: [UInt8], to vsock: VsockAddress) -> Attempt {
        var current: NotifyDelivery
        if let delivery {
            current = delivery
        } else {
            var kind = vsock.kind.forKernel
            let result = csupervision_vsock_connect(vsock.context, vsock.port, &kind)
            guard result >= 0 else { return .failed(connectError(-result)) }
            if kind == CSUPERVISION_VSOCK_DATAGRAM {
                descriptor = result
                switch -sendNow(bytes, []) {
                case 0: return .sent
                case EAGAIN: return .full
                case let number: return .failed(sendError(number))
                }
            }
            current = NotifyDelivery(bytes, over: OwnedDescriptor(taking: result))
        }
        switch current.advance() {
        case .waits:
            delivery = current
            return .underWay
        case .done:
            delivery = nil
            return .sent
        case .failed(let number):
            delivery = nil
            return .failed(sendError(number))
        }
    }

    private func connectError(_ number: CInt) -> SystemdError {
        let code: SystemdError.Code = number == EAFNOSUPPORT ? .unsupportedAddress : .sendFailed
        return .system(code, "cannot connect to the manager's socket \(address)", errno: number)
    }

    private func sendError(_ number: CInt) -> SystemdError {
        .system(.sendFailed, "cannot send to the manager's socket \(address)", errno: number)
    }
}

// Inside a type with a close of its own the system's is out of reach.
package func closeDescriptor(_ descriptor: CInt) {
    _ = close(descriptor)
}
