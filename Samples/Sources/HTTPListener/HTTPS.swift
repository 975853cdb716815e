public import DaemonKit
public import Hummingbird
public import Logging
public import NIOCore
public import NIOPosix

/// Answers a listener's connections with Hummingbird, over TLS: HTTP/2 with clients that offer it (ALPN), else
/// HTTP/1.
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
/// TLS 1.2 and 1.3 are spoken. What a ``TLSIdentity`` reads anew is shown to the connections that begin after it.
///
/// When the listener drains:
/// - HTTP/1 is as with ``HTTP``.
/// - HTTP/2 clients are told to send no further requests (GOAWAY); what they sent before they have heard it, or
///   in ``HTTPConfiguration/drainGrace``, is answered, and the connection closed when that is sent. Idle ones end at
///   once.
/// - A handshake that is under way has ``HTTPConfiguration/drainGrace``.
///
/// A route whose connection closes meanwhile, or whose client takes its request back (RST_STREAM), is cancelled.
///
/// Cancellation closes the connection at once, whatever is under way on it, and cancels its routes.
public struct HTTPS: ConnectionHandler {
    private let http: HTTP<SecureHTTP>

    /// Answers with the routes of a router.
    ///
    /// - Parameters:
    ///   - router: Its responder is built here: routes added later do not count.
    ///   - identity: What is shown to clients. It has to stand above the listener in the tree.
    ///   - configuration: Times and limits.
    ///   - eventLoopGroup: Where connections live; default the process's own, with a thread for each core.
    ///   - logger: Each request's context carries a copy of it, with the id of the request.
    public init<Builder: HTTPResponderBuilder>(
        _ router: Builder,
        identity: TLSIdentity,
        configuration: HTTPConfiguration = HTTPConfiguration(),
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        logger: Logger = Logger(label: "https")
    ) where Builder.Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
        self.init(
            responder: router.buildResponder(),
            identity: identity,
            configuration: configuration,
            eventLoopGroup: eventLoopGroup,
            logger: logger
        )
    }

    /// Answers with a responder.
    ///
    /// - Parameters:
    ///   - responder: What answers each request. An error that it throws is answered with status 500.
    ///   - identity: What is shown to clients. It has to stand above the listener in the tree.
    ///   - configuration: Times and limits.
    ///   - eventLoopGroup: Where connections live; default the process's own, with a thread for each core.
    ///   - logger: Each request's context carries a copy of it, with the id of the request.
    public init<Responder: HTTPResponder>(
        responder: Responder,
        identity: TLSIdentity,
        configuration: HTTPConfiguration = HTTPConfiguration(),
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        logger: Logger = Logger(label: "https")
    ) where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
        var http1 = HTTP1(responder: responder, configuration: configuration, logger: logger)
        http1.isPlain = false
        http = HTTP(
            onLoopsOf: eventLoopGroup,
            channel: SecureHTTP(http1: http1, identity: identity, configuration: configuration),
            logger: logger
        )
    }

    /// Answers one connection until it is over.
    ///
    /// Cancellation closes it at once, and returns when its routes have ended.
    ///
    /// - Parameter connection: Just accepted; its descriptor is taken.
    /// - Throws: ``TLSIdentityError`` with code `notLoaded` where the identity has not been read. What kept the
    ///   descriptor from being taken, or the channel from being set up. A handshake that fails is no error.
    public func handle(_ connection: Connection) async throws {
        try await http.handle(connection)
    }

    /// What runs the task of the next connection: its first steps on an event loop.
    ///
    /// So that a connection for a single request needs no other thread to be woken. Routes, and what they write as they
    /// go, run where all tasks do.
    public func taskExecutor() -> (any TaskExecutor)? {
        http.taskExecutor()
    }
}
