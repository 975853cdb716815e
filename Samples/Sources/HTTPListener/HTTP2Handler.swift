import NIOCore
import NIOHTTP2

/// What an HTTP/2 connection owes its client, above the handler of its frames: does what ``HTTP2Lifecycle`` says.
final class HTTP2Handler: ChannelInboundHandler, NIOScheduledCallbackHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private static let announcement = HTTP2PingData(withInteger: 0x6561_7379_2d6f_6666)

    /// GOAWAY with the highest number there is, and no error: answered is whatever is still sent.
    private static let goAway: [UInt8] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]

    private var lifecycle: HTTP2Lifecycle<HTTP2StreamID>
    /// That of the handler of frames: what is written there passes it by.
    var frames: ChannelHandlerContext?
    private var context: ChannelHandlerContext?
    private var timer: (callback: NIOScheduledCallback, deadline: NIODeadline)?
    private var channels: [HTTP2StreamID: any Channel] = [:]

    init(_ configuration: HTTPConfiguration) {
        self.lifecycle = HTTP2Lifecycle(configuration)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        // Added when the handshake is done: the channel is active.
        self.context = context
        lifecycle.connected(now: .now())
        keepTime()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .ping(Self.announcement, ack: true) = unwrapInboundIn(data).payload {
            act(on: lifecycle.heard(now: .now()))
        }
        context.fireChannelRead(data)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent:
            act(on: [lifecycle.drain(now: .now())].compactMap(\.self))
        case ChannelEvent.inputClosed:
            // Who does not listen is not answered either.
            context.close(promise: nil)
        default:
            break
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func end() {
        timer?.callback.cancel()
        timer = nil
        context = nil
        frames = nil
        channels = [:]
    }

    // MARK: Requests

    func received(_ id: HTTP2StreamID, isEnd: Bool) -> Bool {
        defer { keepTime() }
        return lifecycle.received(id, isEnd: isEnd, now: .now())
    }

    func readRequested(_ id: HTTP2StreamID) {
        lifecycle.readRequested(id, now: .now())
        keepTime()
    }

    func waits(_ id: HTTP2StreamID, _ isWaiting: Bool) {
        lifecycle.waits(id, isWaiting, now: .now())
        keepTime()
    }

    fileprivate func opened(_ id: HTTP2StreamID, _ channel: any Channel) {
        channels[id] = channel
        lifecycle.opened(id, now: .now())
        keepTime()
    }

    fileprivate func closed(_ id: HTTP2StreamID) {
        channels[id] = nil
        act(on: [lifecycle.closed(id, now: .now())].compactMap(\.self))
    }

    // MARK: Doing

    private func act(on actions: [HTTP2Lifecycle<HTTP2StreamID>.Action]) {
        guard let context else { return }
        for action in actions {
            switch action {
            case .announceEnd:
                // The handler of frames would take it for the end of a connection that is idle, and refuse the
                // requests that are on their way.
                frames?.writeAndFlush(NIOAny(ByteBuffer(bytes: Self.goAway)), promise: nil)
                write(.ping(Self.announcement, ack: false), context)
            case .refuseAfter(let newest):
                let last = newest ?? .rootStream
                write(.goAway(lastStreamID: last, errorCode: .noError, opaqueData: nil), context)
            case .close:
                closeWhenSent()
            case .cut:
                context.triggerUserOutboundEvent(ConnectionCut(), promise: nil)
                context.close(promise: nil)
            case .reset(let id):
                channels[id]?.close(promise: nil)
            }
        }
        keepTime()
    }

    /// Closes when the client has been sent what was written: that is flushed within this turn of the loop, or, where
    /// the channel takes no more, waits in the handler of frames until it does.
    private func closeWhenSent() {
        context?.eventLoop.assumeIsolated().execute { [self] in
            guard let context, let frames else { return }
            guard unsent > 0 else {
                lifecycle.allSent()
                read(true)
                return context.close(promise: nil)
            }
            // Nothing, behind all that waits.
            let sent = context.eventLoop.makePromise(of: Void.self)
            frames.writeAndFlush(NIOAny(ByteBuffer()), promise: sent)
            sent.futureResult.assumeIsolated().whenComplete { result in
                switch result {
                case .success: self.closeWhenSent()
                case .failure: self.context?.close(promise: nil)
                }
            }
        }
    }

    private func read(_ isReading: Bool) {
        try? context?.channel.syncOptions?.setOption(.autoRead, value: isReading)
    }

    /// How many bytes of the connection wait for the client to take them.
    private var unsent: Int {
        (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    private func write(_ payload: HTTP2Frame.FramePayload, _ context: ChannelHandlerContext) {
        let frame = HTTP2Frame(streamID: .rootStream, payload: payload)
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }

    // MARK: Time

    /// Sees to being called no later than the deadline; a timer that comes too early looks again.
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
        act(on: lifecycle.deadlinePassed(unsent: unsent, now: .now()))
    }
}

extension HTTP2Handler: NIOHTTP2FrameDelegate {
    func wroteFrame(_ frame: HTTP2Frame) {
        switch frame.payload {
        case .data(let data):
            lifecycle.sent(frame.streamID, isEnd: data.endStream, now: .now())
        case .headers(let headers):
            lifecycle.sent(frame.streamID, isEnd: headers.endStream, now: .now())
        case .goAway(_, let code, _) where code != .noError:
            // Each reading might be answered with one GOAWAY more.
            read(false)
            act(on: [lifecycle.broken(now: .now())].compactMap(\.self))
        default:
            break
        }
    }
}

/// Tells the handler of a connection which requests there are.
///
/// The two live on one event loop, which is where the requests come and go.
struct HTTP2Requests: NIOHTTP2StreamDelegate {
    let handler: NIOLoopBound<HTTP2Handler>

    func streamCreated(_ id: HTTP2StreamID, channel: any Channel) {
        handler.value.opened(id, channel)
    }

    func streamClosed(_ id: HTTP2StreamID, channel: any Channel) {
        handler.value.closed(id)
    }
}
