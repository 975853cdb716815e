internal import Dispatch

/// The waiting for one direction of a connection: a dispatch source that is armed for one event at a time,
/// and the task that waits for it.
///
/// Held under the lock of its connection.
///
/// A dispatch source may not be let go of while it is suspended, and its descriptor not be closed before its
/// cancel handler has run; ``cancel(then:)`` sees to both.
struct Readiness {
    enum Direction {
        case reading
        case writing
    }

    private var source: (any DispatchSourceProtocol)?
    private var isArmed = false
    private var waiter: CheckedContinuation<Void, any Error>?

    /// Whether a read, or a write, is going on.
    var isInUse = false

    var hasSource: Bool { source != nil }

    /// Resumes `waiter` at the next event.
    ///
    /// The source is made at the first call.
    mutating func wait(
        _ waiter: CheckedContinuation<Void, any Error>,
        for direction: Direction,
        of descriptor: CInt,
        onEvent: @escaping @Sendable () -> Void
    ) {
        self.waiter = waiter
        guard !isArmed else { return }
        isArmed = true
        if let source { return source.resume() }
        let made: any DispatchSourceProtocol =
            switch direction {
            case .reading: DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: .global())
            case .writing: DispatchSource.makeWriteSource(fileDescriptor: descriptor, queue: .global())
            }
        made.setEventHandler(handler: onEvent)
        made.activate()
        source = made
    }

    /// Suspends the source, which would go on telling as long as the descriptor is ready.
    ///
    /// - Returns: Who waited, to be resumed outside the lock.
    mutating func eventCame() -> CheckedContinuation<Void, any Error>? {
        guard isArmed else { return nil }
        isArmed = false
        source?.suspend()
        return takeWaiter()
    }

    /// Who waited.
    ///
    /// The source stays armed; its event will find nobody.
    mutating func takeWaiter() -> CheckedContinuation<Void, any Error>? {
        defer { waiter = nil }
        return waiter
    }

    /// Ends the source.
    ///
    /// `then` runs when the system has let go of the descriptor.
    mutating func cancel(then: @escaping @Sendable () -> Void) {
        guard let source else { return }
        source.setCancelHandler(handler: then)
        source.cancel()
        if !isArmed { source.resume() }
        self.source = nil
    }
}
