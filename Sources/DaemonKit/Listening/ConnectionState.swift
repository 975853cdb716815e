import SupervisionLock

/// The descriptor of a connection, and who waits for it.
///
/// Held under the lock of the connection.
struct ConnectionState {
    private enum Phase {
        case open(CInt)
        /// Nil where the descriptor was taken: nothing of ours is to be closed.
        case ended(DescriptorClosing?)
    }

    private var phase: Phase
    var reading = Readiness()
    var writing = Readiness()

    init(descriptor: CInt) {
        phase = .open(descriptor)
    }

    subscript(direction: Readiness.Direction) -> Readiness {
        get { direction == .reading ? reading : writing }
        set {
            switch direction {
            case .reading: reading = newValue
            case .writing: writing = newValue
            }
        }
    }

    var hasSources: Bool { reading.hasSource || writing.hasSource }

    /// The descriptor, to be used under the lock.
    func open(_ peer: SocketAddress) throws -> CInt {
        guard case .open(let descriptor) = phase else { throw SocketError.closedConnection(peer) }
        return descriptor
    }

    /// Closes the descriptor, as soon as the sources have let go of it.
    ///
    /// - Returns: Who waited, to be resumed outside the lock.
    mutating func end() -> [CheckedContinuation<Void, any Error>] {
        guard case .open(let descriptor) = phase else { return [] }
        let sources = (reading.hasSource ? 1 : 0) + (writing.hasSource ? 1 : 0)
        let closing = DescriptorClosing(of: descriptor, sources: sources)
        phase = .ended(closing)
        let waiters = [reading.takeWaiter(), writing.takeWaiter()].compactMap(\.self)
        reading.cancel { closing.sourceEnded() }
        writing.cancel { closing.sourceEnded() }
        return waiters
    }

    /// Gives the descriptor away, which no source knows.
    mutating func take() -> [CheckedContinuation<Void, any Error>] {
        phase = .ended(nil)
        return [reading.takeWaiter(), writing.takeWaiter()].compactMap(\.self)
    }

    /// Whether the descriptor is closed, or was given away.
    var isClosed: Bool {
        guard case .ended(let closing) = phase else { return false }
        return closing?.isClosed ?? true
    }

    /// Has `body` called when the descriptor is closed.
    ///
    /// - Returns: True where there is nothing to wait for; then `body` is not called.
    func whenClosed(_ body: @escaping @Sendable () -> Void) -> Bool {
        guard case .ended(let closing?) = phase else { return true }
        return closing.whenClosed(body)
    }
}

/// A descriptor that is closed when the last of its dispatch sources has let go of it: before, the number could
/// become another's while the source still listens to it.
final class DescriptorClosing: Sendable {
    private struct State {
        /// How many still know the descriptor; -1 once it is closed.
        var sources: Int
        var handlers: [@Sendable () -> Void] = []
    }

    private let descriptor: CInt
    private let state: Locked<State>

    init(of descriptor: CInt, sources: Int) {
        self.descriptor = descriptor
        self.state = Locked(State(sources: sources == 0 ? -1 : sources))
        if sources == 0 { closeDescriptor(descriptor) }
    }

    func sourceEnded() {
        let isLast = state.withLock { state in
            state.sources -= 1
            return state.sources == 0
        }
        guard isLast else { return }
        closeDescriptor(descriptor)
        let handlers = state.withLock { state in
            defer { state.handlers = [] }
            state.sources = -1
            return state.handlers
        }
        for handler in handlers { handler() }
    }

    var isClosed: Bool { state.withLock { $0.sources < 0 } }

    /// - Returns: True where it is closed; then `body` is not called.
    func whenClosed(_ body: @escaping @Sendable () -> Void) -> Bool {
        state.withLock { state in
            guard state.sources >= 0 else { return true }
            state.handlers.append(body)
            return false
        }
    }
}
