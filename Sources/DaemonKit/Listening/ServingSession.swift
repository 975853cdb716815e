import SupervisionLock

/// What one start of a listener is told, and tells.
///
/// Its sockets share it.
///
/// A ``SocketServer`` says through it when it accepts and how many connections are open, and learns from it when
/// to drain. Everything here may be called from any thread, and nothing blocks.
public final class ServingSession: Sendable {
    /// What is open, or in hand, in a session.
    enum Unit: String {
        case connections
        case datagrams
    }

    /// The name of the listener.
    public let name: String

    /// How many connections may be open at once, over all sockets of the session; `Int.max` is no limit.
    ///
    /// The kit's accept loop keeps to it. A framework's server should: by accepting nothing at that number.
    public let maxConnections: Int

    /// What is counted in it.
    let unit: Unit

    private let activity: Activity?
    private let onStarted: @Sendable (ServingSession) -> Void
    private let reporter: @Sendable (ListeningIncident) -> Void
    private let state: Locked<State>

    private struct State {
        var nextID: UInt64 = 0
        var socketsToStart: Int
        var open = 0
        /// Places held for an accept that has not returned yet.
        var reserved = 0
        var limitReported = false
        var isDraining = false
        var drainHandlers: [UInt64: @Sendable () -> Void] = [:]
        var closeHandlers: [UInt64: @Sendable () -> Void] = [:]
        var drainWaiters: [UInt64: CheckedContinuation<Void, Never>] = [:]

        mutating func makeID() -> UInt64 {
            nextID += 1
            return nextID
        }
    }

    /// Makes a session.
    ///
    /// - Parameters:
    ///   - name: The name of the listener.
    ///   - expectedSockets: How many sockets will be served in it.
    ///   - maxConnections: How many may be open at once, at least 1; `Int.max` for no limit.
    ///   - onStarted: Called once, with the session, when every socket is being served.
    ///   - report: Takes each incident, on any thread; must not block.
    package convenience init(
        name: String,
        expectedSockets: Int,
        maxConnections: Int = .max,
        onStarted: @escaping @Sendable (ServingSession) -> Void = { _ in },
        report: @escaping @Sendable (ListeningIncident) -> Void = { _ in }
    ) {
        self.init(
            name: name,
            counting: .connections,
            expectedSockets: expectedSockets,
            maxConnections: maxConnections,
            activity: nil,
            onStarted: onStarted,
            report: report
        )
    }

    /// Makes a session in which `unit` is counted, in `activity` too, where what all listeners serve is.
    init(
        name: String,
        counting unit: Unit,
        expectedSockets: Int,
        maxConnections: Int,
        activity: Activity? = nil,
        onStarted: @escaping @Sendable (ServingSession) -> Void,
        report: @escaping @Sendable (ListeningIncident) -> Void
    ) {
        self.name = name
        self.unit = unit
        self.maxConnections = max(1, maxConnections)
        self.activity = activity
        self.onStarted = onStarted
        self.reporter = report
        self.state = Locked(State(socketsToStart: expectedSockets))
    }

    /// Says that a socket is being served.
    ///
    /// To be called once by each ``SocketServer/serve(_:in:)``, when connections are accepted; best just before the
    /// first one is: a listener that has not started is cancelled where another one drains.
    ///
    /// The listener has started when all its sockets have. Calls beyond their number do nothing.
    public func started() {
        let isLast = state.withLock { state in
            guard state.socketsToStart > 0 else { return false }
            state.socketsToStart -= 1
            return state.socketsToStart == 0
        }
        if isLast { onStarted(self) }
    }
}

// MARK: - Connections

extension ServingSession {
    /// How many connections are open, over all sockets of the session.
    public var connectionCount: Int {
        state.withLock { $0.open }
    }

    /// Counts a connection in.
    ///
    /// Call it when one is accepted, before it is served.
    public func connectionOpened() {
        state.withLock { $0.open += 1 }
        activity?.begin()
    }

    /// Counts a connection out.
    ///
    /// Call it once for each ``connectionOpened()``; calls beyond that do nothing.
    public func connectionClosed() {
        let (handlers, isCounted) = state.withLock { state in
            guard state.open > 0 else { return (state.closeHandlers, false) }
            state.open -= 1
            if state.open <= maxConnections / 2 { state.limitReported = false }
            return (state.closeHandlers, true)
        }
        if isCounted { activity?.end() }
        for handler in handlers.values { handler() }
    }

    /// Tells of something that did not end the serving.
    ///
    /// - Parameter incident: What happened.
    public func report(_ incident: ListeningIncident) {
        reporter(incident)
    }

    /// Holds a place for a connection that is about to be accepted.
    ///
    /// - Returns: False where as many are open as may be, which is reported.
    func reserve() -> Bool {
        reserve(upTo: 1) == 1
    }

    /// Holds places for what is about to be taken.
    ///
    /// - Returns: How many; none where as many are open as may be, which is reported of connections: datagrams come
    ///   and go too fast for that to be news.
    func reserve(upTo count: Int) -> Int {
        let (held, isNews) = state.withLock { state in
            let held = max(0, min(count, maxConnections - state.open - state.reserved))
            state.reserved += held
            let isNews = held == 0 && state.open >= maxConnections && !state.limitReported
            if isNews { state.limitReported = true }
            return (held, isNews)
        }
        if isNews, unit == .connections { report(.connectionLimitReached(limit: maxConnections)) }
        return held
    }

    /// Makes places that were held a connection's each, which gives it back by ``connectionClosed()``.
    func useReservations(_ count: Int = 1) {
        state.withLock { state in
            state.reserved -= count
            state.open += count
        }
        activity?.begin(count)
    }

    /// Gives places back that were held; another socket of the session may have waited for one.
    func dropReservations(_ count: Int = 1) {
        guard count > 0 else { return }
        let wasFull = state.withLock { state in
            defer { state.reserved -= count }
            return state.open + state.reserved >= maxConnections
        }
        guard wasFull else { return }
        for handler in state.withLock({ $0.closeHandlers }).values { handler() }
    }

    /// Has `body` called whenever a place may have become free.
    func onClose(_ body: @escaping @Sendable () -> Void) -> DrainRegistration {
        let id = state.withLock { state in
            let id = state.makeID()
            state.closeHandlers[id] = body
            return id
        }
        return DrainRegistration(session: self, id: id)
    }
}

// MARK: - Draining

extension ServingSession {
    /// Whether the listener has been asked to drain.
    ///
    /// Once true, it stays so.
    public var isDraining: Bool {
        state.withLock { $0.isDraining }
    }

    /// Waits until the listener is asked to drain, or the task is cancelled; ``isDraining`` tells which.
    public func drainRequested() async {
        let id = state.withLock { $0.makeID() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard !state.isDraining, !Task.isCancelled else { return true }
                    state.drainWaiters[id] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.drainWaiters.removeValue(forKey: id) }?.resume()
        }
    }

    /// Has a closure called when the listener is asked to drain; at once, where it has been.
    ///
    /// Closures are called in the order of their registration, on the thread that asks, each once. They must not
    /// block.
    ///
    /// - Parameter body: What to do then.
    /// - Returns: What takes the registration back, to be cancelled when there is nothing to tell any more.
    @discardableResult
    public func onDrain(_ body: @escaping @Sendable () -> Void) -> DrainRegistration {
        let (id, isDraining) = state.withLock { state in
            let id = state.makeID()
            if !state.isDraining { state.drainHandlers[id] = body }
            return (id, state.isDraining)
        }
        if isDraining { body() }
        return DrainRegistration(session: self, id: id)
    }

    /// Asks everything that is served in this session to drain.
    ///
    /// More than once does nothing.
    package func beginDrain() {
        let (handlers, waiters) = state.withLock { state in
            defer {
                state.isDraining = true
                state.drainHandlers = [:]
                state.drainWaiters = [:]
            }
            return (state.drainHandlers, Array(state.drainWaiters.values))
        }
        for (_, body) in handlers.sorted(by: { $0.key < $1.key }) { body() }
        for waiter in waiters { waiter.resume() }
    }

    func unregister(_ id: UInt64) {
        // What is let go of runs its deinitialisers, which may call in here: not under the lock.
        let removed = state.withLock { state in
            (state.drainHandlers.removeValue(forKey: id), state.closeHandlers.removeValue(forKey: id))
        }
        withExtendedLifetime(removed) {}
    }
}
