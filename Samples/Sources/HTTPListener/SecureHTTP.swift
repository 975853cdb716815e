import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP2
import NIOSSL
import NIOTLS

/// TLS, and over it HTTP/2 or HTTP/1, as the client chooses (ALPN); HTTP/1.1 for one that does not choose.
struct SecureHTTP: ServerChildChannel {
    struct Value: ServerChildChannelValue {
        let channel: any Channel
        let negotiated: EventLoopFuture<NIONegotiatedHTTPVersion<HTTP1.Value, HTTP2.Value>>
    }

    let http1: HTTP1
    let identity: TLSIdentity
    let configuration: HTTPConfiguration

    private var http2: HTTP2 { HTTP2(requests: http1, configuration: configuration) }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            let tls = NIOSSLServerHandler(context: try identity.context)
            try pipeline.addHandler(tls)
            try pipeline.addHandler(HandshakeHandler(configuration, above: pipeline.context(handler: tls)))
            let negotiation = NIOTypedApplicationProtocolNegotiationHandler { result, channel in
                choose(result, channel, logger)
            }
            try pipeline.addHandler(negotiation)
            return Value(channel: channel, negotiated: negotiation.protocolNegotiationResult)
        }
    }

    private func choose(
        _ result: ALPNResult,
        _ channel: any Channel,
        _ logger: Logger
    ) -> EventLoopFuture<NIONegotiatedHTTPVersion<HTTP1.Value, HTTP2.Value>> {
        if case .negotiated("h2") = result { return http2.setup(channel: channel).map { .http2($0) } }
        // TLS chooses none that was not offered.
        return http1.setup(channel: channel, logger: logger).map { .http1_1($0) }
    }

    func handle(value: Value, logger: Logger) async {
        do {
            switch try await value.negotiated.get() {
            case .http1_1(let connection): await http1.handle(value: connection, logger: logger)
            case .http2(let connection): await http2.handle(value: connection, logger: logger)
            }
        } catch {
            logger.trace("handshake failed", metadata: ["error": "\(error)"])
        }
        // It is open, and counts, until the last has been said.
        try? await value.channel.closeFuture.get()
    }
}
