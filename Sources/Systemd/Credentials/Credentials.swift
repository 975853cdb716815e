/// The secrets and settings that the manager gave to the service, each a file in one directory.
///
/// ```swift
/// let credentials = ServiceEnvironment.take().credentials
/// let password = try credentials.string(named: "database-password")
/// ```
///
/// The unit says which with `LoadCredential=`, `SetCredential=`, `ImportCredential=` and their encrypted
/// forms. Each reading opens the file anew: after a reload with `RefreshOnReload=credentials` it gives the new
/// content.
///
/// Readings ask the file system and are short, for the manager keeps credentials in memory. No error has any
/// of a credential's content in it.
///
/// - Note: Source: systemd `systemd.exec`, "Credentials"; `CREDENTIALS_DIRECTORY`.
public struct Credentials: Sendable, Hashable {
    /// Where they are (`CREDENTIALS_DIRECTORY`); `nil` when the service was given none.
    public let directory: String?

    /// The most bytes in one credential: 1 MiB, which is what the manager gives to all of a unit.
    public static let largestSize = 1024 * 1024

    /// Makes a reader of credentials.
    ///
    /// - Parameter directory: An absolute path; `nil` for no credentials.
    public init(directory: String?) {
        self.directory = directory
    }

    /// The names of all credentials, sorted.
    ///
    /// - Returns: The names of the directory's regular files; empty when there are none.
    /// - Throws: ``SystemdError`` with code `noCredentials` when the service was given none, and
    ///   `unreadableCredential` when the directory cannot be read, with the `errno`.
    public func names() throws(SystemdError) -> [String] {
        let directory = try CredentialDirectory(directory)
        defer { directory.close() }
        return try directory.names()
    }

    /// Reads a credential's bytes.
    ///
    /// - Parameter name: Its name, as the unit has it: never a path.
    /// - Returns: The whole content, a newline at its end included.
    /// - Throws: ``SystemdError``, with the `errno` where there is one, and the code
    ///   - `noCredentials` when the service was given none;
    ///   - `invalidCredentialName` when the name is empty, `.` or `..`, longer than 255 bytes, or has a `/` or a
    ///     NUL in it: nothing outside the directory can be read;
    ///   - `unknownCredential` when there is none of the name; the message has the names that there are;
    ///   - `credentialTooLarge` when it is larger than ``largestSize``;
    ///   - `unreadableCredential` when it is not a regular file, or the system refuses to read it.
    public func data(named name: String) throws(SystemdError) -> [UInt8] {
        let directory = try CredentialDirectory(directory)
        defer { directory.close() }
        return try directory.read(name)
    }

    /// Reads a credential as text.
    ///
    /// - Parameter name: Its name, as the unit has it: never a path.
    /// - Returns: The whole content; a newline that an editor has put at its end is still there.
    /// - Throws: ``SystemdError`` as ``data(named:)`` does, and with code `invalidText` when the content is not
    ///   UTF-8.
    public func string(named name: String) throws(SystemdError) -> String {
        guard let text = String(validating: try data(named: name), as: UTF8.self) else {
            throw SystemdError(
                .invalidText,
                "credential \(name.quotedForMessage) is not UTF-8; read it as bytes"
            )
        }
        return text
    }
}
