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
        var writer: ResponseWriter? = consume writer
        // The connection's task may run on its event loop, which nothing of an app's may keep waiting.
        try await withTaskExecutorPreference(globalConcurrentExecutor) {
            guard let writer = writer.take() else { return }
            try await answering.answer(request, writer, channel)
        }
    }
}

private struct Answering<Responder: HTTPResponder>: Sendable
where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
    let responder: Responder
    let serverName: String?
    let clock: HTTPDate
    let logger: Logger

    func answer(_ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel) async throws {
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
        do {
            try await writer.write(response: response.head, body: response.body)
        } catch is HTTPParserError {
            // Thrown as it is, it would be answered a second time.
            throw RequestBroken()
        }
    }
}

/// The request's body turned out to be broken while its response was being written.
private struct RequestBroken: Error {}
