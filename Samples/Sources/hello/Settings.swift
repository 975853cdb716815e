import DaemonKit
import HTTPListener

/// What the environment says of ports and certificates.
struct Settings {
    private let environment: ServiceEnvironment

    init(_ environment: ServiceEnvironment) {
        self.environment = environment
    }

    /// The port without TLS, where no socket was passed for it: PORT_HTTP, else PORT, else 4000.
    var http: Listener.Fallback {
        let isOwn = environment.variables["PORT_HTTP"].map { !$0.isEmpty } ?? false
        return .port(fromVariable: isOwn ? "PORT_HTTP" : "PORT", default: 4000)
    }

    /// The port with TLS, where no socket was passed for it: PORT_HTTPS, else 4443.
    var https: Listener.Fallback { .port(fromVariable: "PORT_HTTPS", default: 4443) }

    /// What the server shows over TLS; nil for a service without TLS.
    ///
    /// - Throws: `ConfigurationError` where a socket for TLS was passed, and nothing to show.
    var identity: TLSIdentity? {
        get throws {
            let identity = try TLSIdentity.named("hello", in: environment)
            if identity == nil, environment.descriptors.contains(where: { $0.name == "https" }) {
                throw TLSIdentity.missing("hello", because: "a socket \"https\" was passed")
            }
            return identity
        }
    }
}
