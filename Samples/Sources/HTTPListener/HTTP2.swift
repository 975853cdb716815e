import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP2
import NIOHTTPTypesHTTP2

/// HTTP/2 for ``HTTPS``: RFC 9113.
///
/// NIO's handlers do frames, flow control, and what bounds a client's abuse of them: resets, control frames,
/// continuations, empty data, and errors at too high a rate end the connection.
struct HTTP2: Sendable {
    typealias Value = NIOHTTP2Handler.AsyncStreamMultiplexer<HTTP1.Value>

    let requests: HTTP1
    let configuration: HTTPConfiguration

    /// Puts the protocol into the pipeline of a connection whose handshake is done.
    func setup(channel: any Channel) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            var frames = NIOHTTP2Handler.Configuration()
            frames.connection.initialSettings = [
                .init(parameter: .maxConcurrentStreams, value: configuration.maxConcurrentStreams),
                .init(parameter: .maxHeaderListSize, value: configuration.head.maxHeaderListSize),
            ]
            let connection = HTTP2Handler(configuration)
            let bound = NIOLoopBound(connection, eventLoop: channel.eventLoop)
            let pipeline = channel.pipeline.syncOperations
            let value = try pipeline.configureAsyncHTTP2Pipeline(
                mode: .server,
                streamDelegate: HTTP2Requests(handler: bound),
                frameDelegate: connection,
                configuration: frames
            ) { stream in
                stream.eventLoop.makeCompletedFuture { try Self.setup(stream: stream, of: bound.value) }
            }
            connection.frames = try pipeline.context(handlerType: NIOHTTP2Handler.self)
            try pipeline.addHandler(connection)
            return value
        }
    }

    private static func setup(stream: any Channel, of connection: HTTP2Handler) throws -> HTTP1.Value {
        let pipeline = stream.pipeline.syncOperations
        try pipeline.addHandler(HTTP2FramePayloadToHTTPServerCodec())
        if let id = try stream.syncOptions?.getOption(HTTP2StreamChannelOptions.streamID) {
            try pipeline.addHandler(HTTP2StreamHandler(id, of: connection))
        }
        return try NIOAsyncChannel(wrappingChannelSynchronously: stream)
    }

    /// Answers requests, many at once, until the connection is over.
    func handle(value: Value, logger: Logger) async {
        do {
            try await withThrowingDiscardingTaskGroup { tasks in
                for try await stream in value.inbound {
                    tasks.addTask { await answer(stream, logger) }
                }
            }
        } catch {
            logger.trace("connection failed", metadata: ["error": "\(error)"])
        }
    }

    /// Answers one request; its route is cancelled when the client takes it back.
    private func answer(_ stream: HTTP1.Value, _ logger: Logger) async {
        let task = Task { await requests.handle(value: stream, logger: logger) }
        stream.channel.closeFuture.whenComplete { _ in task.cancel() }
        await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }
}
