public import Hummingbird
public import HummingbirdCore
public import Logging
public import NIOCore
import NIOHTTP1
public import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// HTTP/1.1 and HTTP/1.0 for ``HTTP``.
///
/// Hummingbird reads the requests and writes the responses. What a connection owes its client is done here, in
/// the pipeline, where it has to be known which version is spoken: RFC 9112, sections 3.2 (Host), 9.3
/// (persistence) and 9.6 (tear-down).
///
/// A client that waits with its body for `100 Continue` is told to go on at once, whatever its route will want of that.
/// No other protocol is spoken: a request to change to one (`Upgrade`, `CONNECT`) is answered as any other is, and ends
/// the connection.
public struct HTTP1: HTTPChannelHandler {
    /// A connection's requests and responses.
    public typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    /// What answers one request.
    public let responder: HTTPChannelHandler.Responder

    /// Whether there is no TLS below.
    var isPlain = true

    private let configuration: HTTPConfiguration
    private let clock = HTTPDate()

    /// Makes the protocol.
    ///
    /// - Parameters:
    ///   - responder: What answers each request.
    ///   - configuration: Times and limits.
    ///   - logger: Each request's context carries a copy of it.
    public init<Responder: HTTPResponder>(
        responder: Responder,
        configuration: HTTPConfiguration = HTTPConfiguration(),
        logger: Logger = Logger(label: "http")
    ) where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
        self.configuration = configuration
        self.responder = answering(
            with: responder,
            serverName: configuration.serverName,
            clock: clock,
            logger: logger
        )
    }

    /// Puts the protocol into a connection's pipeline.
    ///
    /// - Parameters:
    ///   - channel: The connection, before anything is read from it.
    ///   - logger: Not used.
    /// - Returns: Its requests and responses.
    public func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = configuration.head.maxHeaderFieldSize
            limits.maxHeaderListSize = configuration.head.maxHeaderListSize
            limits.maxHeaderFieldCount = configuration.head.maxHeaderFieldCount
            let pipeline = channel.pipeline.syncOperations
            let requests = HTTP1Handler(configuration: configuration, clock: clock, isPlain: isPlain)
            try pipeline.addHandler(DroppingHandler(before: requests))
            try pipeline.configureHTTPServerPipeline(
                // One request after the other is Hummingbird's way of reading anyway.
                withPipeliningAssistance: false,
                withErrorHandling: false,
                // The field types allow no other than valid values.
                withOutboundHeaderValidation: false,
                withEncoderConfiguration: .init(),
                withDecoderLimitConfiguration: limits
            )
            try pipeline.addHandler(requests)
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
            return try NIOAsyncChannel(
                wrappingChannelSynchronously: channel,
                configuration: .init(isOutboundHalfClosureEnabled: true)
            )
        }
    }

    /// Answers requests until the connection is over.
    ///
    /// - Parameters:
    ///   - value: What ``setup(channel:logger:)`` gave.
    ///   - logger: Takes what broke a connection, at the level `trace`.
    public func handle(value: Value, logger: Logger) async {
        await handleHTTP(asyncChannel: value, logger: logger)
    }
}
