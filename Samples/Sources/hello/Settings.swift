import DaemonKit
import HTTPListener

/// What the environment says of ports and certificates.
struct Settings {
    /// The names of the credentials (`LoadCredential=`).
    private static let credentials = (certificate: "hello.crt", key: "hello.key")
    /// The variables with their paths, where there are no credentials.
    private static let variables = (certificate: "HELLO_CERTIFICATE", key: "HELLO_KEY")

    private let environment: ServiceEnvironment

    init(_ environment: ServiceEnvironment) {
        self.environment = environment
    }

    /// The port without TLS, where no socket was passed for it: PORT_HTTP, else PORT, else 4000.
    var http: Listener.Fallback {
        .port(fromVariable: value(of: "PORT_HTTP") == nil ? "PORT" : "PORT_HTTP", default: 4000)
    }

    /// The port with TLS, where no socket was passed for it: PORT_HTTPS, else 4443.
    var https: Listener.Fallback { .port(fromVariable: "PORT_HTTPS", default: 4443) }

    /// What the server shows over TLS: its paths, else its credentials; nil for a service without TLS.
    ///
    /// - Throws: ``ConfigurationError`` where there is one of two, or a socket for TLS and neither.
    var identity: TLSIdentity? {
        get throws {
            if let identity = try identityOfPaths ?? identityOfCredentials { return identity }
            guard !environment.descriptors.contains(where: { $0.name == "https" }) else {
                throw ConfigurationError(
                    """
                    a socket "https" was passed, but no certificate: it takes the credentials \
                    \(Self.credentials.certificate) and \(Self.credentials.key) (LoadCredential=), or the \
                    variables \(Self.variables.certificate) and \(Self.variables.key) with their paths
                    """
                )
            }
            return nil
        }
    }

    private var identityOfPaths: TLSIdentity? {
        get throws {
            let certificate = value(of: Self.variables.certificate)
            let key = value(of: Self.variables.key)
            switch (certificate, key) {
            case (nil, nil): return nil
            case (let certificate?, let key?):
                return TLSIdentity(.files(certificate: certificate, key: key))
            case (_?, nil):
                throw ConfigurationError.half(Self.variables.certificate, without: Self.variables.key)
            case (nil, _?):
                throw ConfigurationError.half(Self.variables.key, without: Self.variables.certificate)
            }
        }
    }

    private var identityOfCredentials: TLSIdentity? {
        get throws {
            guard environment.credentials.directory != nil else { return nil }
            let names = try environment.credentials.names()
            let (certificate, key) = Self.credentials
            switch (names.contains(certificate), names.contains(key)) {
            case (false, false): return nil
            case (true, true): return TLSIdentity(.credentials(certificate: certificate, key: key))
            case (true, false): throw ConfigurationError.half("the credential \(certificate)", without: key)
            case (false, true): throw ConfigurationError.half("the credential \(key)", without: certificate)
            }
        }
    }

    private func value(of variable: String) -> String? {
        let value = environment.variables[variable] ?? ""
        return value.isEmpty ? nil : value
    }
}

/// Why the environment cannot be right.
struct ConfigurationError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }

    static func half(_ one: String, without other: String) -> ConfigurationError {
        ConfigurationError("there is \(one), but not \(other): TLS takes both")
    }
}
