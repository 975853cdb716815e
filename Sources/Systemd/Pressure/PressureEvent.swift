/// One time that a resource was short for longer than the source's threshold.
public struct PressureEvent: Sendable, Hashable {
    /// What is short.
    public let resource: PressureResource

    /// When it was noticed, on `CLOCK_MONOTONIC`.
    public let instant: MonotonicInstant
}
