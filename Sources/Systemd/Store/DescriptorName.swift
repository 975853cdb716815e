/// The name of a stored descriptor: what `FDNAME` and `LISTEN_FDNAMES` carry.
///
/// At most 255 characters of ASCII without control characters and colons; the manager ignores any other, and
/// the descriptor then comes back under the name ``unnamed``. Names are not unique, and an empty one is one.
public struct DescriptorName: Sendable, Hashable, CustomStringConvertible {
    let text: String

    /// What a descriptor is called that was stored without a name.
    public static let unnamed = "stored"

    /// Checks a name.
    ///
    /// - Parameter text: The name.
    /// - Throws: ``SystemdError`` with code `invalidName` when it is longer, or has another character.
    public init(_ text: String) throws(SystemdError) {
        guard text.utf8.count <= Self.longest else {
            throw SystemdError(
                .invalidName,
                "\(text.quotedForMessage) is \(text.utf8.count) bytes long, where a descriptor's name has at most "
                    + "\(Self.longest)"
            )
        }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }) else {
            throw SystemdError(
                .invalidName,
                "\(text.quotedForMessage) is not a descriptor's name: ASCII without control characters and colons"
            )
        }
        self.text = text
    }

    /// The name.
    public var description: String {
        text
    }

    private static let longest = 255
}
