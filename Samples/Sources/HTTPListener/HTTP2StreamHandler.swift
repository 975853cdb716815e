import HTTPTypes
import NIOCore
import NIOHTTP2
import NIOHTTPTypes

/// Tells the connection of an HTTP/2 request how far that is.
final class HTTP2StreamHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// RFC 9113, section 8.2.2: fields of a connection, which a route may set as in HTTP/1, are malformed here.
    private static let fieldsOfConnections =
        [
            HTTPField.Name.connection, .transferEncoding, .upgrade,
        ] + ["Keep-Alive", "Proxy-Connection"].compactMap { HTTPField.Name($0) }

    private let id: HTTP2StreamID
    private let connection: HTTP2Handler
    private var isAnswered = false

    init(_ id: HTTP2StreamID, of connection: HTTP2Handler) {
        self.id = id
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let isEnd = if case .end = unwrapInboundIn(data) { true } else { false }
        guard connection.received(id, isEnd: isEnd) else { return }
        context.fireChannelRead(data)
    }

    func read(context: ChannelHandlerContext) {
        connection.readRequested(id)
        context.read()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            for name in Self.fieldsOfConnections { head.headerFields[name] = nil }
            return context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            break
        case .end:
            // What is left of it goes out as the client's windows allow.
            isAnswered = true
            connection.waits(id, true)
        }
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if !isAnswered { connection.waits(id, !context.channel.isWritable) }
        context.fireChannelWritabilityChanged()
    }
}
