import NIOCore
import NIOHTTP1

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What a connection owes its client, between the decoder and Hummingbird: does what ``HTTP1Lifecycle`` says.
final class HTTP1Handler: ChannelDuplexHandler, NIOScheduledCallbackHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let clock: HTTPDate
    private let isPlain: Bool
    private var lifecycle: HTTP1Lifecycle
    private var context: ChannelHandlerContext?
    private var timer: (callback: NIOScheduledCallback, deadline: NIODeadline)?

    init(configuration: HTTPConfiguration, clock: HTTPDate, isPlain: Bool) {
        self.clock = clock
        self.isPlain = isPlain
        self.lifecycle = HTTP1Lifecycle(configuration)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { begin() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
    }

    func channelActive(context: ChannelHandlerContext) {
        begin()
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    // MARK: Reading

    /// Whether anything that still comes is to be decoded.
    var takesMore: Bool { lifecycle.takesMore }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let intake: HTTP1Lifecycle.Intake
        switch unwrapInboundIn(data) {
        case .head(let head):
            intake = lifecycle.requestHead(
                keepAlive: head.isKeepAlive && !head.leavesHTTP1,
                hosts: head.headers.count(of: "host"),
                isVersion10: head.version == .http1_0,
                now: .now()
            )
            if intake == .pass, lifecycle.isResponseNext, head.expectsContinue { sayContinue(context) }
        case .body:
            intake = lifecycle.requestBody(now: .now())
        case .end:
            intake = lifecycle.requestEnd(now: .now())
        }
        switch intake {
        case .pass: context.fireChannelRead(data)
        case .drop: break
        case .refuse(let refusal): refuse(refusal, context)
        }
    }

    func read(context: ChannelHandlerContext) {
        lifecycle.readRequested(now: .now())
        keepTime()
        context.read()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        lifecycle.readComplete(now: .now())
        // Nobody further on reads any more, and the client's closing would never be seen.
        if lifecycle.isEnding { context.read() }
        keepTime()
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else { return context.fireErrorCaught(error) }
        switch lifecycle.requestBroken(.parserError(error), now: .now()) {
        case .pass: context.fireErrorCaught(error)
        case .drop: break
        case .refuse(let refusal): refuse(refusal, context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent:
            lifecycle.drain(now: .now())
            return keepTime()
        case ChannelEvent.inputClosed:
            lifecycle.inputClosed()
        case ChannelEvent.outputClosed:
            lifecycle.outputClosed(now: .now())
            keepTime()
            // What was held back so far has to be read now, up to the client's end.
            context.read()
        default:
            break
        }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: Writing

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // To a request that came behind the last one that is answered.
        guard !lifecycle.isEnding else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(let head) where (100..<200).contains(head.status.code):
            context.write(data, promise: promise)
        case .head(let head):
            // To HTTP/1.0, a body of unknown length ends with the connection: the encoder says so.
            let isUnbounded = lifecycle.isVersion10 && head.headers.count(of: "content-length") == 0
            let isLast = lifecycle.responseHead(keepAlive: head.isKeepAlive && !isUnbounded)
            guard isLast || lifecycle.isVersion10 else { return context.write(data, promise: promise) }
            let head = fit(head, isLast: isLast)
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            lifecycle.responsePart()
            context.write(data, promise: promise)
        case .end:
            let isLast = lifecycle.responseEnd(now: .now())
            keepTime()
            let sent = promise ?? context.eventLoop.makePromise(of: Void.self)
            sent.futureResult.assumeIsolated().whenComplete { _ in self.responseSent() }
            guard isLast else { return context.write(data, promise: sent) }
            holdBack(context)
            context.writeAndFlush(data, promise: sent)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        lifecycle.writabilityChanged(context.channel.isWritable, now: .now())
        keepTime()
        context.fireChannelWritabilityChanged()
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        // Where the input is closed, closing the output closes all, and drops what is not sent yet.
        if mode == .output, lifecycle.outputEnds(now: .now()) {
            keepTime()
            promise?.succeed()
        } else {
            context.close(mode: mode, promise: promise)
        }
    }

    /// Says whether the connection ends, in the words of the client's version.
    private func fit(_ head: HTTPResponseHead, isLast: Bool) -> HTTPResponseHead {
        var head = head
        // The encoder chunks only where the version allows it.
        if lifecycle.isVersion10 { head.version = .http1_0 }
        head.headers.replaceOrAdd(name: "Connection", value: isLast ? "close" : "keep-alive")
        return head
    }

    /// The kernel has a response to its end, or the connection is gone.
    private func responseSent() {
        let isOver = lifecycle.responseSent(now: .now())
        keepTime()
        if isOver { context?.close(mode: .output, promise: nil) }
    }

    /// Has the end of the response wait for the end of the sending, which then is in the same packet (TCP_CORK).
    ///
    /// The client wakes up once for both. Not so over TLS, which has something to say in between.
    private func holdBack(_ context: ChannelHandlerContext) {
        #if os(Linux)
            guard isPlain, context.channel.remoteAddress?.port != nil else { return }
            try? context.channel.syncOptions?.setOption(.tcpOption(.init(rawValue: TCP_CORK)), value: 1)
        #endif
    }

    /// RFC 9110, section 10.1.1: the client waits for this with its body.
    private func sayContinue(_ context: ChannelHandlerContext) {
        let head = HTTPResponseHead(version: .http1_1, status: .continue)
        context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
    }

    private func refuse(_ refusal: Refusal, _ context: ChannelHandlerContext) {
        var head = HTTPResponseHead(version: .http1_1, status: refusal.status)
        head.headers.add(name: "Date", value: clock.now)
        head.headers.add(name: "Content-Type", value: "text/plain; charset=utf-8")
        head.headers.add(name: "Content-Length", value: "\(refusal.text.utf8.count)")
        write(context: context, data: wrapOutboundOut(.head(head)), promise: nil)
        let body = context.channel.allocator.buffer(string: refusal.text)
        write(context: context, data: wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        write(context: context, data: wrapOutboundOut(.end(nil)), promise: nil)
    }

    // MARK: Time

    private func begin() {
        lifecycle.connected(now: .now())
        keepTime()
    }

    private func end() {
        timer?.callback.cancel()
        timer = nil
        context = nil
    }

    /// Sees to being called no later than the deadline.
    ///
    /// Deadlines mostly move on, and moving the timer costs: one that comes too early looks again.
    private func keepTime() {
        guard let context, let deadline = lifecycle.deadline else { return }
        if let timer {
            guard deadline < timer.deadline else { return }
            timer.callback.cancel()
        }
        // Throws only while the loop is being shut down, when nothing is left to be timed.
        let callback = try? context.eventLoop.assumeIsolated().scheduleCallback(at: deadline, handler: self)
        timer = callback.map { ($0, deadline) }
    }

    func handleScheduledCallback(eventLoop: some EventLoop) {
        timer = nil
        guard let context else { return }
        let unsent = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
        guard lifecycle.deadlinePassed(unsent: unsent ?? 0, now: .now()) else { return keepTime() }
        // It has had its time to close, or does not even take what it asked for.
        if lifecycle.isEnding { context.triggerUserOutboundEvent(ConnectionCut(), promise: nil) }
        context.close(promise: nil)
    }
}

extension HTTPRequestHead {
    /// Whether it asks for what comes behind it to be no HTTP/1: that is then not decoded, whatever the answer.
    ///
    /// All that the decoder takes for such a request is one here, and some that it does not.
    fileprivate var leavesHTTP1: Bool {
        if method == .CONNECT { return true }
        guard headers.contains(name: "upgrade") else { return false }
        return headers["connection"].contains { $0.lowercased().contains("upgrade") }
    }

    /// Whether its body, if it has one, is sent only when the server wants it.
    ///
    /// HTTP/1.0 does not know of that.
    fileprivate var expectsContinue: Bool {
        guard version == .http1_1, headers.contains(name: "expect") else { return false }
        guard headers[canonicalForm: "expect"].contains(where: { $0.lowercased() == "100-continue" }) else {
            return false
        }
        return headers.contains(name: "transfer-encoding") || headers["content-length"].contains { $0 != "0" }
    }
}

extension HTTPHeaders {
    fileprivate func count(of name: String) -> Int {
        var count = 0
        for (field, _) in self where field.utf8.count == name.utf8.count && field.lowercased() == name {
            count += 1
        }
        return count
    }
}
