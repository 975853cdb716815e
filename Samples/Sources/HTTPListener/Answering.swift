import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// What Hummingbird's `Application` does around a responder: a context, an id in the log,
/// status 500 for what is thrown, `Date` and `Server`.
func answering<Responder: HTTPResponder>(
    with responder: Responder,
    serverName: String?,
    clock: HTTPDate,
    logger: Logger
) -> HTTPChannelHandler.Responder
where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
    let answering = Answering(responder: responder, serverName: serverName, clock: clock, logger: logger)
    return { request, writer, channel in
        guard channel.eventLoop.inEventLoop else {
            try await answering.respond(to: request, channel).send(by: writer)
            return
        }
        // Nothing of an app's may keep an event loop waiting.
        var writer: ResponseWriter? = consume writer
        let unsent = try await withTaskExecutorPreference(globalConcurrentExecutor) { () -> Response? in
            let response = try await answering.respond(to: request, channel)
            if let whole = try await response.collected() { return whole }
            if let writer = writer.take() { try await response.send(by: writer) }
            return nil
        }
        // Back on the loop, which is where it goes out: from there it need not be handed over once more.
        if let unsent, let writer = writer.take() { try await unsent.send(by: writer) }
    }
}

private struct Answering<Responder: HTTPResponder>: Sendable
where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
    let responder: Responder
    let serverName: String?
    let clock: HTTPDate
    let logger: Logger

    func respond(to request: Request, _ channel: any Channel) async throws -> Response {
        var logger = logger
        logger[metadataKey: "hb.request.id"] = .stringConvertible(RequestID())
        var response = try await withLogger(logger) { logger in
            let context = Responder.Context(source: .init(channel: channel, logger: logger))
            do {
                return try await responder.respond(to: request, context: context)
            } catch let error as HTTPParserError {
                // The rest of the request cannot be read: the channel's handler answers with 400.
                throw error
            } catch {
                logger.debug("route failed", metadata: ["error": "\(error)"])
                return Response(status: .internalServerError)
            }
        }
        if response.headers[.date] == nil { response.headers[.date] = clock.now }
        if let serverName, response.headers[.server] == nil { response.headers[.server] = serverName }
        return response
    }
}

extension Response {
    /// The response with its body in hand, where that is known to be small; nil for any other.
    ///
    /// Runs what makes the body.
    fileprivate func collected() async throws -> Response? {
        guard let length = body.contentLength, length <= 16 << 10 else { return nil }
        let collected = CollectedBody()
        try await body.write(CollectingWriter(body: collected))
        var whole = self
        whole.body = collected.responseBody
        return whole
    }

    fileprivate func send(by writer: consuming ResponseWriter) async throws {
        do {
            try await writer.write(response: head, body: body)
        } catch is HTTPParserError {
            // Thrown as it is, it would be answered a second time.
            throw RequestBroken()
        }
    }
}

/// The request's body turned out to be broken while its response was being written.
private struct RequestBroken: Error {}

/// What a small body was made of.
private final class CollectedBody {
    var bytes = ByteBuffer()
    var trailers: HTTPFields?

    var responseBody: ResponseBody {
        guard let trailers else { return ResponseBody(byteBuffer: bytes) }
        return ResponseBody(contentLength: bytes.readableBytes) { [bytes] writer in
            try await writer.write(bytes)
            try await writer.finish(trailers)
        }
    }
}

private struct CollectingWriter: ResponseBodyWriter {
    let body: CollectedBody

    func write(_ buffer: ByteBuffer) {
        if body.bytes.readableBytes == 0 {
            body.bytes = buffer
        } else {
            body.bytes.writeImmutableBuffer(buffer)
        }
    }

    consuming func finish(_ trailers: HTTPFields?) {
        body.trailers = trailers
    }
}
