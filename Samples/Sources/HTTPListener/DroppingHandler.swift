import NIOCore

/// Drops what a client sends when nothing of it is wanted any more, before the decoder has it.
///
/// The decoder has no use for it either: behind a request to leave HTTP/1 it decodes nothing, and collects whatever
/// comes, without a limit; behind what is no HTTP it tells each reading as an error, at which the connection would end
/// with bytes unread: a reset, and the client may lose the refusal.
final class DroppingHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let requests: HTTP1Handler

    init(before requests: HTTP1Handler) {
        self.requests = requests
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if requests.takesMore { context.fireChannelRead(data) }
    }
}
