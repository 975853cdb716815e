public import HummingbirdCore
public import NIOCore

/// How long ``HTTP`` waits for clients, and what it says of itself.
///
/// The times are measured on the monotonic clock of the event loop. They bound what a client may leave
/// undone; none of them limits how long a route takes to answer.
public struct HTTPConfiguration: Sendable {
    /// How long a request's head may take: from the first of its bytes, and for the first request of a
    /// connection from the connecting. Default 30 s.
    public var headTimeout: TimeAmount = .seconds(30)

    /// How long a client may send nothing: between two requests, or within the body of one. Default 60 s.
    public var idleTimeout: TimeAmount = .seconds(60)

    /// How long, once a drain has begun, a connection is kept that has not sent a request yet, so that one
    /// which is under way is still answered. Default 500 ms, which is a round trip around the world and more.
    public var drainGrace: TimeAmount = .milliseconds(500)

    /// How long, once the last response is written, the client's bytes are read and dropped until it closes.
    /// Closed with bytes unread, the kernel resets the connection, and the client may lose that response.
    /// Default 1 s.
    public var lingerTimeout: TimeAmount = .seconds(1)

    /// What is sent in the `Server` field, where a route does not set it. Default nil: nothing.
    public var serverName: String?

    /// The limits of a request's head. What is over them is answered with status 431.
    /// Default 80 KiB in all, and 1000 fields.
    public var head = HTTP1Channel.Configuration.DecoderConfiguration()

    /// The defaults.
    public init() {}
}
