/// Messages that wait for the manager to read: ordered, bounded, and pure.
///
/// What stays in the queue leaves in the order in which it came. A message of ``Rank/replaceable(_:)`` takes
/// the place of an older one that says the same kind of thing, at the end of the queue and not in the older
/// one's place: a newer status must not overtake a `STOPPING=1` between the two.
struct NotifyQueue {
    enum Rank: Equatable {
        /// Only the newest of its kind matters; the kind is the names of its variables.
        case replaceable([String])
        /// Any other variable.
        case ordinary
        /// A step of the service's life, or what explains its end.
        case lifecycle

        /// The higher, the longer it is kept when there is no room.
        var weight: Int {
            switch self {
            case .replaceable: 0
            case .ordinary: 1
            case .lifecycle: 2
            }
        }
    }

    struct Entry {
        let sequence: UInt64
        let bytes: [UInt8]
        let rank: Rank
    }

    let capacity: Int
    private(set) var entries: [Entry] = []
    private(set) var droppedCount = 0
    private(set) var lastSequence: UInt64 = 0

    init(capacity: Int = 128) {
        self.capacity = capacity
    }

    var isEmpty: Bool {
        entries.isEmpty
    }

    /// Adds a message; false, and counted, when there is no room for one of its rank.
    mutating func append(_ message: NotifyMessage) -> Bool {
        let rank = message.rank
        if case .replaceable = rank, let older = entries.firstIndex(where: { $0.rank == rank }) {
            entries.remove(at: older)
        }
        if entries.count >= capacity {
            droppedCount += 1
            guard let lesser = oldestLesser(than: rank) else { return false }
            entries.remove(at: lesser)
        }
        lastSequence += 1
        entries.append(Entry(sequence: lastSequence, bytes: message.bytes, rank: rank))
        return true
    }

    /// Takes out the oldest, because it has left.
    mutating func removeFirst() {
        entries.removeFirst()
    }

    /// Takes out the oldest, because it cannot leave.
    mutating func dropFirst() {
        entries.removeFirst()
        droppedCount += 1
    }

    /// Takes out everything, because nothing can leave any more.
    mutating func dropAll() {
        droppedCount += entries.count
        entries.removeAll()
    }

    private func oldestLesser(than rank: Rank) -> Int? {
        let lightest = entries.map(\.rank.weight).min() ?? .max
        return lightest < rank.weight ? entries.firstIndex { $0.rank.weight == lightest } : nil
    }
}

extension NotifyMessage {
    /// How a queue without room treats this message.
    var rank: NotifyQueue.Rank {
        let passing: Set = ["STATUS", "EXTEND_TIMEOUT_USEC"]
        let lasting: Set = [
            "READY", "STOPPING", "RELOADING", "ERRNO", "BUSERROR", "EXIT_STATUS", "MAINPID",
        ]
        // WATCHDOG=trigger is no sign of life.
        if assignments.contains(where: { lasting.contains($0.name) || $0 == Self.trigger }) {
            return .lifecycle
        }
        if assignments.allSatisfy({ passing.contains($0.name) || $0.name == "WATCHDOG" }) {
            return .replaceable(assignments.map(\.name))
        }
        return .ordinary
    }

    private static let trigger = Assignment(name: "WATCHDOG", value: "trigger")
}
