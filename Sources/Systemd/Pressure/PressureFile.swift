import CSupervision

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// An opened ``PressureSource``.
struct PressureFile {
    enum Finding {
        case nothing
        case pressure
        case ended
    }

    let descriptor: OwnedDescriptor
    /// A pressure file tells by `POLLPRI` and is never read; a FIFO or socket tells by bytes.
    let tellsByBytes: Bool

    init(opening source: PressureSource) throws(SystemdError) {
        var status = stat()
        guard stat(source.path, &status) == 0 else { throw source.error("cannot look at", errno) }
        let result: CInt
        switch status.st_mode & S_IFMT {
        case S_IFREG:
            result = csupervision_pressure_open(source.path, source.registration.isEmpty ? 0 : 1)
            tellsByBytes = false
        case S_IFIFO:
            // With a writer of its own it never ends, however its writers come and go.
            let both = csupervision_pressure_open(source.path, 1)
            result = both == -EACCES ? csupervision_pressure_open(source.path, 0) : both
            tellsByBytes = true
        case S_IFSOCK:
            result = csupervision_pressure_connect(source.path)
            tellsByBytes = true
        default:
            throw SystemdError(
                .wrongKind,
                "\(source.path.quotedForMessage) is neither a pressure file nor a FIFO nor a socket"
            )
        }
        guard result >= 0 else { throw source.error("cannot open", -result) }
        descriptor = OwnedDescriptor(taking: result)
        if status.st_mode & S_IFMT != S_IFIFO { try register(source) }
    }

    private func register(_ source: PressureSource) throws(SystemdError) {
        guard !source.registration.isEmpty else { return }
        let count =
            tellsByBytes
            ? csupervision_socket_write(descriptor.number, source.registration, source.registration.count)
            : write(descriptor.number, source.registration, source.registration.count)
        guard count == source.registration.count else {
            let number = tellsByBytes ? CInt(-count) : errno
            throw source.error("cannot register at", count < 0 ? number : EIO)
        }
    }

    var event: WakeableThread.Event {
        tellsByBytes ? .readable(descriptor.number) : .exceptional(descriptor.number)
    }

    /// Finds out what woke the watcher, and takes away the bytes that did.
    func examine(_ happening: WakeableThread.Happening) -> Finding {
        guard tellsByBytes else {
            // A file whose control group has gone is in error for ever.
            if happening.isBroken { return .ended }
            return happening.isReady ? .pressure : .nothing
        }
        guard happening.isReady || happening.isBroken else { return .nothing }
        var buffer = [UInt8](repeating: 0, count: 4096)
        var hasRead = false
        // Bounded: who writes without end is heard again at the next turn.
        for _ in 0..<16 {
            let count = read(descriptor.number, &buffer, buffer.count)
            if count < 0, errno == EAGAIN { return hasRead ? .pressure : .nothing }
            guard count > 0 else { return hasRead ? .pressure : .ended }
            hasRead = true
        }
        return .pressure
    }
}

extension PressureSource {
    fileprivate func error(_ action: String, _ number: CInt) -> SystemdError {
        .system(
            .pressureFailed,
            "\(action) the \(resource) pressure source \(path.quotedForMessage)",
            errno: number
        )
    }
}
