/// The restarts that still count, and whether one more is too many.
///
/// A ring of at most `maxRestarts` stamps: the next restart is one too many exactly when the ring is full and
/// its oldest stamp is still inside the window. Recording is O(1), however many restarts there have been.
struct RestartWindow: Equatable {
    private let intensity: RestartIntensity
    private var stamps: [Duration] = []
    private var oldest = 0

    init(_ intensity: RestartIntensity) {
        self.intensity = intensity
    }

    /// Counts a restart at `now`, unless it would exceed the intensity.
    ///
    /// - Returns: Whether the restart is allowed.
    mutating func admitRestart(at now: Duration) -> Bool {
        // What nothing can exceed need not be remembered.
        guard intensity != .unlimited else { return true }
        guard stamps.count == intensity.maxRestarts else {
            stamps.append(now)
            return true
        }
        guard !stamps.isEmpty, now - stamps[oldest] > intensity.period else { return false }
        stamps[oldest] = now
        oldest = (oldest + 1) % stamps.count
        return true
    }
}
