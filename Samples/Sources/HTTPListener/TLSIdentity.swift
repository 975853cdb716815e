public import DaemonKit
import NIOConcurrencyHelpers
import NIOCore
import NIOSSL

/// The certificate that an ``HTTPS`` server shows, and its private key: a child that reads them when it starts,
/// and again at each reload.
///
/// Position: above the listeners that show it.
///
/// ```swift
/// let identity = TLSIdentity(.files(certificate: "/etc/hello/chain.pem", key: "/etc/hello/key.pem"))
///
/// Supervisor {
///     identity
///     Listener("https", fallback: .port(4443), serving: HTTPS(router, identity: identity))
///     ReadyMarker()
/// }
/// ```
///
/// **Reload** (SIGHUP, `systemctl reload`). Connections that are open go on as they are; each that begins after it
/// is shown what was read. Where that cannot be read or does not fit together the reload has failed, the service
/// manager is told why, and what was read before stays in use.
///
/// Both are PEM. The certificate may be followed by those that lead to a root that clients know. The key must not
/// have a passphrase.
public final class TLSIdentity: Child {
    /// Where a certificate and its key are.
    public struct Source: Sendable {
        enum Place: Sendable {
            case file(String)
            case credential(String)
        }

        let certificate: Place
        let key: Place

        /// Files.
        ///
        /// - Parameters:
        ///   - certificate: The path of the certificate, or of the chain that begins with it.
        ///   - key: The path of its private key.
        /// - Returns: The source.
        public static func files(certificate: String, key: String) -> Source {
            Source(certificate: .file(certificate), key: .file(key))
        }

        /// Credentials that the service manager has given (`LoadCredential=`, `CREDENTIALS_DIRECTORY`).
        ///
        /// The manager takes them anew at a reload where the unit says `RefreshOnReload=credentials`; else they
        /// are those of the service's start.
        ///
        /// - Parameters:
        ///   - certificate: The name of the certificate, or of the chain that begins with it.
        ///   - key: The name of its private key.
        /// - Returns: The source.
        public static func credentials(certificate: String, key: String) -> Source {
            Source(certificate: .credential(certificate), key: .credential(key))
        }
    }

    private let source: Source
    private let id: String
    private let loaded = NIOLockedValueBox<NIOSSLContext?>(nil)

    /// Makes an identity; nothing is read yet.
    ///
    /// - Parameters:
    ///   - source: Where it is.
    ///   - id: Its name among its siblings.
    public init(_ source: Source, id: String = "certificate") {
        self.source = source
        self.id = id
    }

    /// The identity as a child: permanent.
    ///
    /// Where nothing can be read it does not start, with a ``TLSIdentityError`` or a `SystemdError`.
    public var childSpec: ChildSpec {
        ChildSpec(id) { [self] child in
            let credentials = child.daemon.environment.credentials
            try load(from: credentials)
            child.onReload { try self.load(from: credentials) }
            child.started()
            await child.shutdownRequested()
        }
    }

    /// What a connection that begins now is to be shown.
    var context: NIOSSLContext {
        get throws {
            guard let context = loaded.withLockedValue(\.self) else {
                throw TLSIdentityError(
                    .notLoaded,
                    "the certificate \"\(id)\" was not read: it has to stand above its listener in the tree"
                )
            }
            return context
        }
    }

    /// Reads both, and puts them to use where they are in order.
    func load(from credentials: Credentials) throws {
        let chain = try TLSMaterial(source.certificate, credentials)
        let key = try TLSMaterial(source.key, credentials)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try chain.certificates().map { .certificate($0) },
            privateKey: .privateKey(try key.privateKey())
        )
        configuration.applicationProtocols = ["h2", "http/1.1"]
        configuration.minimumTLSVersion = .tlsv12
        let context: NIOSSLContext
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw TLSIdentityError(.mismatch, "\(key) is not the key of \(chain): \(error)")
        }
        loaded.withLockedValue { $0 = context }
    }
}

extension TLSIdentityError: ErrnoCarrying {}
