import Dispatch
import SupervisionLock

/// Sees to it that no child keeps the turn of its supervisor for long.
///
/// Outside the cooperative pool, on real time: it is threads that are looked after. It looks as long as turns are
/// lent out, and rests otherwise.
final class TurnWatch: Sendable {
    static let shared = TurnWatch()

    /// How long a loan lasts at the least before another task takes the turn; at the most twice that.
    private static let interval = DispatchTimeInterval.milliseconds(5)

    private struct Entry {
        let turn: Turn
        var reading: UInt
    }

    private let entries = Locked<[Entry]>([])
    private let queue = DispatchQueue(label: "supervision.turns")

    /// Looks at a turn from now on, until it is left alone.
    func watch(_ turn: Turn) {
        let isFirst = entries.withLock { entries in
            entries.append(Entry(turn: turn, reading: turn.reading))
            return entries.count == 1
        }
        if isFirst { lookLater() }
    }

    private func lookLater() {
        queue.asyncAfter(deadline: .now() + Self.interval) { [self] in look() }
    }

    private func look() {
        // What comes meanwhile stands behind these.
        let seen = entries.withLock { $0 }
        let kept = seen.compactMap { entry -> Entry? in
            let reading = entry.turn.reading
            return entry.turn.look(since: entry.reading) ? Entry(turn: entry.turn, reading: reading) : nil
        }
        let isIdle = entries.withLock { entries in
            entries.replaceSubrange(..<seen.count, with: kept)
            return entries.isEmpty
        }
        if !isIdle { lookLater() }
    }
}
