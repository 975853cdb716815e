public import HummingbirdCore
public import NIOCore

/// How long ``HTTP`` waits for clients, and what it says of itself.
///
/// The times are measured on the monotonic clock of the event loop. They bound what a client may leave
/// undone; none of them limits how long a route takes to answer.
public struct HTTPConfiguration: Sendable {
    /// How long a request's head may take; default 30 s.
    ///
    /// Counted from the first of its bytes, and for the first request of a connection from the connecting.
    public var headTimeout: TimeAmount = .seconds(30)

    /// How long a client may send nothing, between two requests or within the body of one; default 60 s.
    public var idleTimeout: TimeAmount = .seconds(60)

    /// How long a connection that has not sent a request yet is kept once a drain has begun; default 500 ms.
    ///
    /// A request that is under way then is still answered. The default is a round trip around the world and more.
    public var drainGrace: TimeAmount = .milliseconds(500)

    /// How long a client may take to close, when the last response has been sent; default 1 s.
    ///
    /// What it still sends is read and dropped until then. Closed with bytes unread, the kernel resets the
    /// connection, and the client may lose that response.
    public var lingerTimeout: TimeAmount = .seconds(1)

    /// What is sent in the `Server` field, where a route does not set it; default nil, which is nothing.
    public var serverName: String?

    /// The limits of a request's head; default 80 KiB in all, and 1000 fields.
    ///
    /// What is over them is answered with status 431.
    public var head = HTTP1Channel.Configuration.DecoderConfiguration()

    /// The defaults.
    public init() {}
}
