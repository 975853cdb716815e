import NIOCore
import NIOTLS

/// Bounds how long TLS itself may take, right above its handler: at the beginning, and at the end.
///
/// A drain that begins during a handshake is told to the protocol that the handshake leads to: nobody else is there
/// to hear of it.
final class HandshakeHandler: ChannelDuplexHandler, NIOScheduledCallbackHandler {
    typealias InboundIn = NIOAny
    typealias OutboundIn = NIOAny

    private enum Phase {
        case handshaking
        case open
        case closing
    }

    private let times: HTTPConfiguration
    /// That of TLS's own handler: what begins there passes it by.
    private let tls: ChannelHandlerContext
    private var context: ChannelHandlerContext?
    private var phase = Phase.handshaking
    private var isDraining = false
    private var timer: NIOScheduledCallback?

    init(_ times: HTTPConfiguration, above tls: ChannelHandlerContext) {
        self.times = times
        self.tls = tls
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        allow(times.handshakeTimeout)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent where phase == .handshaking:
            guard !isDraining else { return }
            isDraining = true
            return allow(min(times.drainGrace, times.handshakeTimeout))
        case TLSUserEvent.handshakeCompleted where phase == .handshaking:
            phase = .open
            timer?.cancel()
            context.fireUserInboundEventTriggered(event)
            // The protocol is in its place by now.
            if isDraining { context.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
        case ChannelEvent.inputClosed where phase == .closing:
            // It has closed without saying so in TLS's words: nothing is left to wait for.
            context.fireUserInboundEventTriggered(event)
            cut()
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode == .all, phase != .closing {
            phase = .closing
            allow(times.lingerTimeout)
        }
        context.close(mode: mode, promise: promise)
    }

    func triggerUserOutboundEvent(
        context: ChannelHandlerContext,
        event: Any,
        promise: EventLoopPromise<Void>?
    ) {
        guard event is ConnectionCut else {
            return context.triggerUserOutboundEvent(event, promise: promise)
        }
        cut()
        promise?.succeed()
    }

    func handleScheduledCallback(eventLoop: some EventLoop) {
        cut()
    }

    private func allow(_ time: TimeAmount) {
        timer?.cancel()
        guard let context else { return }
        // Throws only while the loop is being shut down, when nothing is left to be timed.
        timer = try? context.eventLoop.assumeIsolated().scheduleCallback(in: time, handler: self)
    }

    private func cut() {
        guard context != nil else { return }
        phase = .closing
        tls.close(promise: nil)
    }

    private func end() {
        timer?.cancel()
        timer = nil
        context = nil
    }
}
