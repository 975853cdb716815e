public import Synchronization

/// A value that one thread at a time can touch: the standard library's `Mutex`, where Thread Sanitizer can see it.
///
/// On Linux the sanitizer does not see into `Mutex`, and takes two uses on different threads for a race. The
/// fence tells it, in terms that it knows, what the mutex makes true anyway: that one use ends before the next
/// begins. It costs a plain load and a plain store.
@frozen @usableFromInline package struct Locked<Value>: ~Copyable, Sendable {
    @usableFromInline let mutex: Mutex<Value>
    @usableFromInline let fence = Atomic<UInt8>(0)

    /// Guards a value.
    @inlinable package init(_ value: consuming sending Value) {
        mutex = Mutex(value)
    }

    /// Runs `body` while no other thread can; not to be called from within itself.
    @inlinable package borrowing func withLock<Result, Failure>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        try mutex.withLock { value throws(Failure) in
            _ = fence.load(ordering: .acquiring)
            defer { fence.store(0, ordering: .releasing) }
            return try body(&value)
        }
    }
}
