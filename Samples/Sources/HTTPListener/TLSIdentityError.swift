/// Why a server has no certificate to show.
public struct TLSIdentityError: Error, Sendable, Hashable {
    /// What went wrong.
    ///
    /// More may be added.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The name of the code.
        public let description: String

        /// The certificate or the key cannot be read; ``TLSIdentityError/errorNumber`` may say why.
        public static let unreadable = Code(description: "unreadable")

        /// It was read, and is no certificate, or no private key, in PEM.
        public static let notPEM = Code(description: "notPEM")

        /// The key is not that of the certificate.
        public static let mismatch = Code(description: "mismatch")

        /// A connection came, and the identity does not stand above its listener in the tree.
        public static let notLoaded = Code(description: "notLoaded")
    }

    /// What went wrong.
    public let code: Code

    /// What was read, from where, why it is of no use, and what would be right.
    ///
    /// Nothing of the key is in it.
    public let message: String

    /// The system's `errno`, where it was the system that refused.
    public let errorNumber: CInt?

    init(_ code: Code, _ message: String, errno: CInt? = nil) {
        self.code = code
        self.message = message
        self.errorNumber = errno
    }
}

extension TLSIdentityError: CustomStringConvertible {
    /// The message, in one line.
    public var description: String { message }
}
