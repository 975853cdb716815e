/// Tells the service manager how this process is doing.
///
/// ```swift
/// let notifier = Notifier(address: ServiceEnvironment.take().notifyAddress)
/// notifier.send(.ready)
/// ```
///
/// Use one notifier for the whole process: messages arrive in the order of the calls to ``send(_:)``, and two
/// notifiers know nothing of each other. Without a manager everything is a no-op and the outcome says so.
///
/// Sending never waits. While the manager does not read, messages wait in a queue that a thread of its own
/// empties; the thread starts when it is first needed. The queue keeps the newest status, sign of life and
/// extension only, keeps the steps of the service's life before anything else, and is bounded: see
/// ``droppedCount``. Whoever is about to exit should ``flush(timeout:)``: what is still queued when the
/// notifier is closed or released is lost.
public final class Notifier: Sendable {
    let channel: NotifyChannel?

    /// Makes a notifier; a failure to connect shows in the outcome of ``send(_:)``.
    ///
    /// - Parameter address: Where the manager listens, as ``ServiceEnvironment/notifyAddress`` says; `nil`
    ///   for no manager.
    public init(address: NotifyAddress?) {
        channel = address.map { NotifyChannel(address: $0) }
    }

    deinit {
        close()
    }

    /// Sends a message, or queues it behind those that already wait.
    ///
    /// Never blocks. When the manager has gone the socket is opened anew, once per message.
    ///
    /// - Parameter message: What to tell; at most ``NotifyMessage/largestSize`` bytes.
    /// - Returns: What became of it; `.notSupervised` without a manager.
    @discardableResult
    public func send(_ message: NotifyMessage) -> NotifyOutcome {
        channel?.send(message) ?? .notSupervised
    }

    /// Waits until everything that has been queued so far has left.
    ///
    /// - Parameter timeout: How long to wait at most, on the monotonic clock; zero or less only asks.
    /// - Returns: True when nothing was queued or all of it was sent or replaced by something newer; false
    ///   when the time was up, when something could not be sent, when the notifier was closed, and at once
    ///   when the task is cancelled.
    public func flush(timeout: Duration) async -> Bool {
        await channel?.flush(timeout: timeout) ?? true
    }

    /// Waits until the manager has processed everything that was sent before (`BARRIER=1`).
    ///
    /// ``flush(timeout:)`` says that a message has left; this, that it has been read and acted upon. Await it
    /// before something that depends on that: before exiting as a short-lived helper, whose messages the
    /// manager can no longer attribute once it has gone, or before closing what was stored.
    ///
    /// A thread of its own waits, no pool's. The barrier takes its place in the queue behind what waits there,
    /// and needs systemd 246 or newer: an older one closes it unread, which looks like ``BarrierOutcome/passed``.
    ///
    /// - Parameter timeout: How long to wait at most, on the monotonic clock; at zero or less nothing is sent
    ///   and the time is up.
    /// - Returns: What became of it. Cancelling the task ends the wait at once, as does closing the notifier
    ///   (code `closed`); a barrier that has not left by then never does.
    /// - Note: Source: systemd `sd_notify_barrier`.
    public func barrier(timeout: Duration) async -> BarrierOutcome {
        await channel?.barrier(timeout: timeout) ?? .notSupervised
    }

    /// How many messages were queued or to be queued and are lost.
    ///
    /// A message that a newer one of its kind replaced is not counted.
    public var droppedCount: Int {
        channel?.droppedCount ?? 0
    }

    /// Closes the socket and ends the thread, if there is one; what is still queued is lost.
    ///
    /// A later ``send(_:)`` fails with code `closed`. Closing twice does nothing; releasing the notifier
    /// closes it.
    public func close() {
        channel?.close()
    }

    /// How many messages wait.
    var queuedCount: Int {
        channel?.queuedCount ?? 0
    }
}
