import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A value that one thread at a time can touch.
///
/// The standard library's `Mutex` in other words, for one reason: on Linux its lock is out of Thread
/// Sanitizer's sight, which then takes every use for a race. What is shared with a thread of our own is to be
/// checked.
//
// Unchecked, and correct: `value` is touched in `withLock` alone, between locking and unlocking, and the lock
// itself is made for many threads.
package final class Locked<Value: Sendable>: @unchecked Sendable {
    private var value: Value
    private let lock: UnsafeMutablePointer<pthread_mutex_t>

    package init(_ value: Value) {
        guard let lock = csystem_lock_create() else { fatalError("no memory for a lock") }
        self.lock = lock
        self.value = value
    }

    deinit {
        csystem_lock_destroy(lock)
    }

    /// Runs `body` while no other thread can; not to be called from within itself.
    package func withLock<Result, Failure>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return try body(&value)
    }
}
