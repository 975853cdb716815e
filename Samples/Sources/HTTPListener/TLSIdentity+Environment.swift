public import DaemonKit

extension TLSIdentity {
    /// The identity that the environment of a service names: files, else credentials.
    ///
    /// For a service `hello` the files are those that `HELLO_CERTIFICATE` and `HELLO_KEY` name, and the credentials
    /// are called `hello.crt` and `hello.key` (`LoadCredential=`).
    ///
    /// - Parameters:
    ///   - service: The name of the service.
    ///   - environment: What the manager told.
    /// - Returns: Nil where there are neither.
    /// - Throws: ``ConfigurationError`` where there is only one of two; what kept the credentials from being read.
    public static func named(
        _ service: String,
        in environment: ServiceEnvironment
    ) throws -> TLSIdentity? {
        let variables = (
            certificate: "\(service.uppercased())_CERTIFICATE", key: "\(service.uppercased())_KEY"
        )
        let files = (environment.value(of: variables.certificate), environment.value(of: variables.key))
        switch files {
        case (let certificate?, let key?): return TLSIdentity(.files(certificate: certificate, key: key))
        case (_?, nil): throw ConfigurationError.half(variables.certificate, without: variables.key)
        case (nil, _?): throw ConfigurationError.half(variables.key, without: variables.certificate)
        case (nil, nil): break
        }
        guard environment.credentials.directory != nil else { return nil }
        let names = try environment.credentials.names()
        let credentials = (certificate: "\(service).crt", key: "\(service).key")
        switch (names.contains(credentials.certificate), names.contains(credentials.key)) {
        case (true, true):
            return TLSIdentity(.credentials(certificate: credentials.certificate, key: credentials.key))
        case (true, false):
            throw ConfigurationError.half(
                "the credential \(credentials.certificate)",
                without: credentials.key
            )
        case (false, true):
            throw ConfigurationError.half(
                "the credential \(credentials.key)",
                without: credentials.certificate
            )
        case (false, false):
            return nil
        }
    }

    /// The error for a service that must have one.
    ///
    /// - Parameters:
    ///   - service: The name of the service.
    ///   - reason: Why it must, such as `a socket "https" was passed`.
    /// - Returns: What to throw.
    public static func missing(_ service: String, because reason: String) -> ConfigurationError {
        ConfigurationError(
            """
            \(reason), but no certificate: it takes the credentials \(service).crt and \(service).key \
            (LoadCredential=), or the variables \(service.uppercased())_CERTIFICATE and \
            \(service.uppercased())_KEY with their paths
            """
        )
    }
}

/// Why the environment of a service cannot be right.
public struct ConfigurationError: Error, CustomStringConvertible {
    /// What is wrong, and what would be right.
    public let description: String

    /// Describes it.
    public init(_ description: String) {
        self.description = description
    }

    static func half(_ one: String, without other: String) -> ConfigurationError {
        ConfigurationError("there is \(one), but not \(other): TLS takes both")
    }
}

extension ServiceEnvironment {
    /// A variable that says something.
    fileprivate func value(of variable: String) -> String? {
        let value = variables[variable] ?? ""
        return value.isEmpty ? nil : value
    }
}
