/// What went wrong between the process and its service manager.
///
/// The message names what was wrong, where, and what would be right. Compare ``code``, not the text.
public struct SystemdError: Error, Sendable, Hashable {
    /// The kind of failure.
    ///
    /// More codes may come, so a `switch` over them needs a `default`.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The code's name, as it is spelled in the source.
        public let description: String

        /// An address that cannot be one: relative, empty, too long.
        public static let invalidAddress = Code(description: "invalidAddress")
        /// An address of a kind that this system does not speak: `vsock:` outside Linux.
        public static let unsupportedAddress = Code(description: "unsupportedAddress")
        /// A variable's name or value that the manager would misread or refuse.
        public static let invalidVariable = Code(description: "invalidVariable")
        /// A message longer than the manager reads, or an entry larger than the journal takes.
        public static let messageTooLarge = Code(description: "messageTooLarge")
        /// A descriptor's name that the manager would ignore.
        public static let invalidName = Code(description: "invalidName")
        /// No descriptor where one is needed, or more than one message carries.
        public static let wrongDescriptorCount = Code(description: "wrongDescriptorCount")
        /// So much waits for a manager that does not read that nothing more can.
        public static let queueFull = Code(description: "queueFull")
        /// The operating system refused to open, connect or send; ``SystemdError/errno`` says why.
        public static let sendFailed = Code(description: "sendFailed")
        /// More descriptors than the manager keeps.
        public static let storeFull = Code(description: "storeFull")
        /// The operating system refused memory for state, or to read it; ``SystemdError/errno`` says why.
        public static let memoryFailed = Code(description: "memoryFailed")
        /// A file of memory that somebody could still change, or no such file.
        public static let notSealed = Code(description: "notSealed")
        /// A file of memory that is larger than the reader wants.
        public static let memoryTooLarge = Code(description: "memoryTooLarge")
        /// A pressure source that cannot be opened or watched; ``SystemdError/errno`` says why.
        public static let pressureFailed = Code(description: "pressureFailed")
        /// The object was closed before.
        public static let closed = Code(description: "closed")
        /// A passed descriptor, or a file, of another kind than the one asked for.
        public static let wrongKind = Code(description: "wrongKind")
        /// A descriptor that is not, or no longer, one of the passed ones.
        public static let unknownDescriptor = Code(description: "unknownDescriptor")
        /// The operating system refused to duplicate a descriptor; ``SystemdError/errno`` says why.
        public static let duplicationFailed = Code(description: "duplicationFailed")
        /// The service was given no credentials.
        public static let noCredentials = Code(description: "noCredentials")
        /// A credential that the service was not given, though it was given others.
        public static let unknownCredential = Code(description: "unknownCredential")
        /// A credential's name that cannot be one, such as a path.
        public static let invalidCredentialName = Code(description: "invalidCredentialName")
        /// A credential larger than the manager gives.
        public static let credentialTooLarge = Code(description: "credentialTooLarge")
        /// A credential, or the directory of all, that cannot be read; ``SystemdError/errno`` says why.
        public static let unreadableCredential = Code(description: "unreadableCredential")
        /// Bytes that are not UTF-8 where text was asked for.
        public static let invalidText = Code(description: "invalidText")
    }

    /// The kind of failure.
    public let code: Code

    /// What was wrong, where, and what would be right, in one line.
    public let message: String

    /// The operating system's error number, where it gave one.
    public let errno: CInt?

    /// Describes a failure.
    ///
    /// - Parameters:
    ///   - code: The kind of failure.
    ///   - message: What was wrong, where, and what would be right, in one line.
    ///   - errno: The operating system's error number, where it gave one; nil by default.
    public init(_ code: Code, _ message: String, errno: CInt? = nil) {
        self.code = code
        self.message = message
        self.errno = errno
    }
}

extension SystemdError: CustomStringConvertible {
    /// The code and the message.
    public var description: String {
        "\(code): \(message)"
    }
}
