/// Where a service manager listens for notifications: what `NOTIFY_SOCKET` says.
///
/// - `/run/systemd/notify`: the path of a Unix datagram socket.
/// - `@name`: the same in Linux's abstract namespace.
/// - `vsock:CID:PORT`: a virtual machine's socket, of whichever type the kernel offers: datagram, else
///   seqpacket, else stream. `vsock-dgram:`, `vsock-seqpacket:` and `vsock-stream:` want one type. The context
///   id may be a word: `hypervisor` (0), `local` (1) or `host` (2).
///
/// Descriptors travel over Unix sockets only, and so does a barrier.
public struct NotifyAddress: Sendable, Hashable, CustomStringConvertible {
    /// The address as the manager writes it.
    public let description: String

    /// The parts of a `vsock` address; `nil` for a Unix socket's.
    let vsock: VsockAddress?

    /// Reads an address.
    ///
    /// - Parameter text: `/…`, at most 107 bytes; `@…`, at most 108 bytes; or one of the `vsock` forms.
    /// - Throws: ``SystemdError`` with code `invalidAddress` when the text is none of these or too long (an
    ///   address is never cut), and when a `vsock` form names no context or any context.
    public init(_ text: String) throws(SystemdError) {
        vsock = try VsockAddress(text)
        if vsock == nil { try Self.checkUnix(text) }
        description = text
    }

    /// The content of `sun_path`: an abstract name has a NUL where it was written with `@`.
    ///
    /// Empty for a `vsock` address.
    package var socketPath: [UInt8] {
        guard vsock == nil else { return [] }
        var bytes = Array(description.utf8)
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
        return bytes
    }

    private static func checkUnix(_ text: String) throws(SystemdError) {
        let limit = text.utf8.first == UInt8(ascii: "@") ? longest : longest - 1
        guard text.utf8.first == UInt8(ascii: "/") || text.utf8.first == UInt8(ascii: "@") else {
            throw SystemdError(.invalidAddress, "\(text.quotedForMessage) does not begin with /, @ or vsock:")
        }
        guard text.utf8.count > 1 else {
            throw SystemdError(
                .invalidAddress,
                "\(text.quotedForMessage) has no name after its first character"
            )
        }
        guard text.utf8.count <= limit else {
            throw SystemdError(
                .invalidAddress,
                "\(text.quotedForMessage) is \(text.utf8.count) bytes long, where a Unix socket's address "
                    + "has at most \(limit)"
            )
        }
        guard !text.utf8.contains(0) else {
            throw SystemdError(.invalidAddress, "\(text.quotedForMessage) has a NUL in it")
        }
    }

    // sun_path on Linux. A path keeps one byte for its NUL; an abstract name has none.
    private static let longest = 108
}
