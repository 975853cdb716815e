/// Where a service manager listens for notifications: what `NOTIFY_SOCKET` says.
///
/// A path (`/run/systemd/notify`) or, after an `@`, a name in Linux's abstract namespace. The `vsock:` forms
/// are not supported.
public struct NotifyAddress: Sendable, Hashable, CustomStringConvertible {
    /// The address as the manager writes it.
    public let description: String

    /// Reads an address.
    ///
    /// - Parameter text: `/…`, at most 107 bytes, or `@…`, at most 108 bytes.
    /// - Throws: ``SystemdError`` with code `invalidAddress` when the text is neither or too long (an address
    ///   is never cut), and `unsupportedAddress` for a `vsock` form.
    public init(_ text: String) throws(SystemdError) {
        let limit = text.hasPrefix("@") ? Self.longest : Self.longest - 1
        if text.hasPrefix("vsock:") || text.hasPrefix("vsock-") {
            throw SystemdError(
                .unsupportedAddress,
                "\(text.quotedForMessage) is a vsock address, and only Unix sockets are supported"
            )
        }
        guard text.utf8.first == UInt8(ascii: "/") || text.utf8.first == UInt8(ascii: "@") else {
            throw SystemdError(.invalidAddress, "\(text.quotedForMessage) does not begin with / or @")
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
        description = text
    }

    /// The content of `sun_path`: an abstract name has a NUL where it was written with `@`.
    package var socketPath: [UInt8] {
        var bytes = Array(description.utf8)
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
        return bytes
    }

    // sun_path on Linux. A path keeps one byte for its NUL; an abstract name has none.
    private static let longest = 108
}
