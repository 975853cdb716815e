import SupervisionLock

/// What a thread that serves a socket is to do, and the pipe that wakes it to look.
final class ThreadOrders: Sendable {
    enum Order {
        case serve
        /// To leave a passed socket, or to take what has arrived on a bound one, and to end.
        case drain
        case stop
    }

    private struct State {
        var order = Order.serve
        /// Set by the thread before it waits for room.
        var wantsRoom = false
    }

    let wake: WakePipe
    private let state = Locked(State())

    /// - Throws: ``SocketError`` with code `systemError`.
    init() throws {
        wake = try WakePipe()
    }

    /// What it is to do now.
    var current: Order { state.withLock(\.order) }

    /// Gives an order; none is given after a stop.
    func give(_ order: Order) {
        state.withLock { state in
            if state.order != .stop { state.order = order }
        }
        wake.signal()
    }

    /// Has the next room that is made wake the thread.
    func wantRoom() {
        state.withLock { $0.wantsRoom = true }
    }

    /// Says that there is room for one more.
    func roomMade() {
        let isAwaited = state.withLock { state in
            defer { state.wantsRoom = false }
            return state.wantsRoom
        }
        if isAwaited { wake.signal() }
    }
}
