#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A reading of `CLOCK_MONOTONIC`, in microseconds: what `MONOTONIC_USEC` carries.
///
/// It is read with `clock_gettime`. On Linux `ContinuousClock` counts suspended time too and would not do.
public struct MonotonicInstant: Sendable, Hashable, Comparable {
    /// Microseconds since the clock's zero, rounded down as the manager's own are.
    public let microseconds: UInt64

    /// Makes an instant of a number.
    ///
    /// - Parameter microseconds: Microseconds since the clock's zero.
    public init(microseconds: UInt64) {
        self.microseconds = microseconds
    }

    /// The present reading.
    public static var now: MonotonicInstant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicInstant(microseconds: UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000)
    }

    /// Whether one reading was earlier than another.
    ///
    /// - Parameters:
    ///   - left: A reading.
    ///   - right: Another.
    /// - Returns: Whether `left` was the earlier.
    public static func < (left: MonotonicInstant, right: MonotonicInstant) -> Bool {
        left.microseconds < right.microseconds
    }

    /// The instant a duration later; a negative one counts as none, one too long as the end of time.
    func advanced(by duration: Duration) -> MonotonicInstant {
        let (sum, overflow) = microseconds.addingReportingOverflow(duration.wholeMicroseconds)
        return MonotonicInstant(microseconds: overflow ? .max : sum)
    }
}

extension Duration {
    /// Microseconds, rounded up so that a wait is never shortened; between zero and the largest signed
    /// number.
    package var wholeMicroseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let attosecondsPerMicrosecond: Int64 = 1_000_000_000_000
        let (whole, tooLong) = seconds.multipliedReportingOverflow(by: 1_000_000)
        let fraction = (attoseconds + attosecondsPerMicrosecond - 1) / attosecondsPerMicrosecond
        let (sum, tooMuch) = whole.addingReportingOverflow(fraction)
        return UInt64(tooLong || tooMuch ? Int64.max : sum)
    }
}
