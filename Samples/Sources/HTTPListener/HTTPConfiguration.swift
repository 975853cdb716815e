public import HummingbirdCore
public import NIOCore

/// How long ``HTTP`` and ``HTTPS`` wait for clients, how much they take, and what they say of themselves.
///
/// The times are measured on the monotonic clock of the event loop. They bound what a client may leave
/// undone; none of them limits how long a route takes to answer.
public struct HTTPConfiguration: Sendable {
    /// How long a TLS handshake may take; default 10 s.
    public var handshakeTimeout: TimeAmount = .seconds(10)

    /// How long a request's head may take; default 30 s.
    ///
    /// Counted from the first of its bytes, and for the first request of a connection from the connecting. In
    /// HTTP/2 the first request of a connection alone has it: ``idleTimeout`` is for the others.
    public var headTimeout: TimeAmount = .seconds(30)

    /// How long a client may send nothing, between two requests or within the body of one; default 60 s.
    ///
    /// While a route does not read what there is of a body, nobody is waiting for more of it: that time does not count.
    /// In HTTP/1 it is counted from when what was written has been sent: ``writeTimeout`` is for one that is taking it.
    public var idleTimeout: TimeAmount = .seconds(60)

    /// How long a client may take nothing of a response that waits to be sent; default 30 s.
    ///
    /// One that takes at least some of it in that time is served, however slow it is. The kernel's buffers come
    /// before it is noticed at all.
    public var writeTimeout: TimeAmount = .seconds(30)

    /// How long a connection that has not sent a request yet is kept once a drain has begun; default 500 ms.
    ///
    /// A request that is under way then is still answered. The default is a round trip around the world and more.
    ///
    /// It also is the time of a TLS handshake that is under way, and that which an HTTP/2 client has to hear that
    /// it is to send no further requests: those that it has sent meanwhile are answered.
    public var drainGrace: TimeAmount = .milliseconds(500)

    /// How long a connection between two requests is kept once a drain has begun: a turn of the loop, or some on a
    /// busy machine, so that what has arrived already is still read.
    var idleDrainGrace: TimeAmount = .milliseconds(20)

    /// How long a client may take to close, when the last response has been sent; default 1 s, and 5 s at most with
    /// TLS.
    ///
    /// What it still sends is read and dropped until then. Closed with bytes unread, the kernel resets the
    /// connection, and the client may lose that response.
    public var lingerTimeout: TimeAmount = .seconds(1)

    /// How many requests an HTTP/2 connection may have open at once (`SETTINGS_MAX_CONCURRENT_STREAMS`); default
    /// 100.
    public var maxConcurrentStreams = 100

    /// What is sent in the `Server` field, where a route does not set it; default nil, which is nothing.
    public var serverName: String?

    /// The limits of a request's head; default 80 KiB in all, and 1000 fields.
    ///
    /// What is over them is answered with status 431. HTTP/2 has the limit of the whole alone, and refuses the
    /// request (`SETTINGS_MAX_HEADER_LIST_SIZE`).
    public var head = HTTP1Channel.Configuration.DecoderConfiguration()

    /// The defaults.
    public init() {}
}
