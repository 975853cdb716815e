/// The times that a resource was short, as they come.
///
/// A thread of its own waits for them, no pool's. Events that nobody asked for meanwhile become one, the newest:
/// pressure is a state to act upon, not a count.
///
/// Iterate it once, in one task. It ends when the task is cancelled, when a stream socket's other end closes
/// (a FIFO does not end), and when the control group goes away; then, as when the last copy of it and of its
/// iterators has been released, the descriptor is closed and the thread has ended.
public struct PressureEvents: AsyncSequence, Sendable {
    /// What it gives.
    public typealias Element = PressureEvent
    /// It ends, and does not fail.
    public typealias Failure = Never

    /// Closes the channel, which its thread keeps alive, when nobody listens any more.
    final class Handle: Sendable {
        let channel: PressureChannel

        init(_ channel: PressureChannel) {
            self.channel = channel
        }

        deinit {
            channel.close()
        }
    }

    let handle: Handle

    init(_ channel: PressureChannel) {
        handle = Handle(channel)
    }

    /// What is iterated.
    ///
    /// - Returns: An iterator; all of them share the events.
    public func makeAsyncIterator() -> Iterator {
        Iterator(handle: handle)
    }

    /// Waits for one event after the other.
    public struct Iterator: AsyncIteratorProtocol {
        let handle: Handle

        /// The next event; waits until there is one.
        ///
        /// - Returns: The event; `nil` at the end, and at once when the task is cancelled.
        public mutating func next() async -> PressureEvent? {
            await handle.channel.next()
        }

        /// The next event; waits until there is one.
        ///
        /// - Parameter actor: Where the caller runs.
        /// - Returns: The event; `nil` at the end, and at once when the task is cancelled.
        public mutating func next(isolation actor: isolated (any Actor)?) async -> PressureEvent? {
            await handle.channel.next()
        }
    }
}
