import Synchronization

/// Adds up what something costs, for each time that it is done.
///
/// What it adds up is up to the reading: time, or anything else that only grows.
public final class Meter: Sendable {
    private struct Sum {
        var cost = 0
        var count = 0
    }

    private struct State {
        var begun = 0
        var sums: [String: Sum] = [:]
    }

    private let reading: @Sendable () -> Int
    private let unit: Double
    private let measuresMemory: Bool
    private let state = Mutex(State())

    /// Describes a meter.
    ///
    /// - Parameters:
    ///   - unit: How much of the reading is one in the figures.
    ///   - measuresMemory: Whether memory is told besides.
    ///   - reading: What has been spent until now.
    public init(unit: Int = 1, measuresMemory: Bool = false, reading: @escaping @Sendable () -> Int) {
        self.unit = Double(unit)
        self.measuresMemory = measuresMemory
        self.reading = reading
    }

    /// Microseconds, and bytes of memory.
    public static func time() -> Meter {
        let origin = ContinuousClock.now
        return Meter(unit: 1_000, measuresMemory: true) {
            Int(origin.duration(to: .now) / .nanoseconds(1))
        }
    }

    /// Begins to measure.
    public func begin() {
        // Last, for what the lock costs is not the work's.
        state.withLock { $0.begun = reading() }
    }

    /// Adds what was spent since ``begin()``.
    ///
    /// - Parameters:
    ///   - name: What was done.
    ///   - count: How many times.
    public func end(_ name: String, each count: Int) {
        let now = reading()
        state.withLock { state in
            state.sums[name, default: Sum()].cost += now - state.begun
            state.sums[name, default: Sum()].count += count
        }
    }

    /// The memory of the process, to be handed to ``memory(since:each:)``.
    public func memory() -> Int {
        measuresMemory ? residentBytes() : 0
    }

    /// Notes how much memory was added.
    ///
    /// - Parameters:
    ///   - before: What it was.
    ///   - count: For how many.
    public func memory(since before: Int, each count: Int) {
        guard measuresMemory else { return }
        let added = residentBytes() - before
        // Of the unit there are as many as bytes.
        state.withLock { $0.sums["memory"] = Sum(cost: added * Int(unit), count: count) }
    }

    /// A line `name value` for each figure.
    var lines: [String] {
        state.withLock(\.sums).sorted { $0.key < $1.key }
            .map { "\($0.key) \(Double($0.value.cost) / unit / Double($0.value.count))" }
    }
}
