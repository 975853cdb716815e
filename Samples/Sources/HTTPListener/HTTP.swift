public import DaemonKit
public import Hummingbird
public import HummingbirdCore
public import Logging
public import NIOCore
public import NIOPosix

/// Answers a listener's connections with Hummingbird.
///
/// ```swift
/// let router = Router()
/// router.get("/") { _, _ in "Hello World!" }
///
/// Listener("http", fallback: .port(4000), serving: HTTP(router))
/// ```
///
/// The kit accepts; each connection is then moved to an event loop, where Hummingbird's own code answers it.
/// No `Application` is involved: sockets, signals and the order of starting and stopping are the tree's.
///
/// When the listener drains:
/// - A request in flight is finished, and its response says `Connection: close`.
/// - A connection kept alive, on which nothing is asked, is closed at once, or when its last response has been sent.
/// - One that has not sent a request yet has ``HTTPConfiguration/drainGrace`` to do so.
///
/// A route whose connection closes meanwhile, because the client has reset it, or was let go, is cancelled. One whose
/// client has only ended its sending goes on: that waits for the response.
///
/// Cancellation closes the connection at once, whatever is under way on it, and cancels its route. So nothing
/// that a client does, or leaves undone, outlasts the limit of the `Drainer`; a route that ignores its
/// cancellation does.
public struct HTTP<Base: ServerChildChannel>: ConnectionHandler {
    private let base: Base
    private let eventLoopGroup: any EventLoopGroup
    private let logger: Logger
    private let executors: ConnectionExecutors?

    /// Serves with a protocol of Hummingbird's: what `setup` puts into a channel's pipeline is told of a drain
    /// by a `ChannelShouldQuiesceEvent`.
    ///
    /// - Parameters:
    ///   - base: Sets a connection up, and answers what comes over it.
    ///   - eventLoopGroup: Where connections live; default the process's own, with a thread for each core.
    ///   - logger: Given to `base`.
    public init(
        channel base: Base,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        logger: Logger = Logger(label: "http")
    ) {
        self.base = base
        self.eventLoopGroup = eventLoopGroup
        self.logger = logger
        // It may run what is not to block an event loop.
        self.executors = nil
    }

    /// Serves with a protocol whose tasks run on the event loops, but for its responder.
    init(onLoopsOf eventLoopGroup: any EventLoopGroup, channel base: Base, logger: Logger) {
        self.base = base
        self.eventLoopGroup = eventLoopGroup
        self.logger = logger
        self.executors = ConnectionExecutors(eventLoopGroup)
    }

    /// What runs the task of the next connection: its first steps on an event loop.
    ///
    /// So that a connection for a single request needs no other thread to be woken. Routes, and what they write as they
    /// go, run where all tasks do.
    public func taskExecutor() -> (any TaskExecutor)? {
        executors?.next()
    }

    /// Answers one connection until it is over.
    ///
    /// Cancellation closes it at once, and returns when its route has ended.
    ///
    /// - Parameter connection: Just accepted; its descriptor is taken.
    /// - Throws: What kept the descriptor from being taken, or the channel from being set up.
    public func handle(_ connection: Connection) async throws {
        let value = try await open(try connection.takeDescriptor())
        let channel = value.channel
        connection.onDrain {
            channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        }
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { tasks in
                tasks.addTask { await base.handle(value: value, logger: logger) }
                // When the client is gone nobody waits for a route, which would never hear of it.
                try? await channel.closeFuture.get()
                tasks.cancelAll()
            }
        } onCancel: {
            // With TLS a close says goodbye and waits to hear the same.
            channel.triggerUserOutboundEvent(ConnectionCut(), promise: nil)
            channel.close(promise: nil)
        }
    }

    /// Makes a connected socket a channel, which owns the descriptor from here on, also when its set-up fails.
    ///
    /// On the loop that this task runs on, if it does: nothing of it waits then.
    private func open(_ descriptor: CInt) async throws -> Base.Value {
        let loop = eventLoopGroup.any()
        let value = loop.makePromise(of: Base.Value.self)
        let opening = ClientBootstrap(group: loop)
            // The kit has set TCP_NODELAY. All that this does to a connected socket is not to set it again.
            .enableMPTCP(true)
            .channelInitializer { [base, logger] channel in
                do {
                    try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
                } catch {
                    return loop.makeFailedFuture(error)
                }
                let setup = base.setup(channel: channel, logger: logger)
                setup.cascade(to: value)
                return setup.map { _ in }
            }
            .withConnectedSocket(descriptor)
        opening.cascadeFailure(to: value)
        _ = try await opening.get()
        return try await value.futureResult.get()
    }
}

extension HTTP where Base == HTTP1 {
    /// Answers HTTP/1.1 and HTTP/1.0 with the routes of a router.
    ///
    /// - Parameters:
    ///   - router: Its responder is built here: routes added later do not count.
    ///   - configuration: Times and limits.
    ///   - logger: Each request's context carries a copy of it, with the id of the request.
    public init<Builder: HTTPResponderBuilder>(
        _ router: Builder,
        configuration: HTTPConfiguration = HTTPConfiguration(),
        logger: Logger = Logger(label: "http")
    ) where Builder.Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
        self.init(responder: router.buildResponder(), configuration: configuration, logger: logger)
    }

    /// Answers HTTP/1.1 and HTTP/1.0 with a responder.
    ///
    /// - Parameters:
    ///   - responder: What answers each request. An error that it throws is answered with status 500.
    ///   - configuration: Times and limits.
    ///   - logger: Each request's context carries a copy of it, with the id of the request.
    public init<Responder: HTTPResponder>(
        responder: Responder,
        configuration: HTTPConfiguration = HTTPConfiguration(),
        logger: Logger = Logger(label: "http")
    ) where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
        self.init(
            onLoopsOf: MultiThreadedEventLoopGroup.singleton,
            channel: HTTP1(responder: responder, configuration: configuration, logger: logger),
            logger: logger
        )
    }
}
