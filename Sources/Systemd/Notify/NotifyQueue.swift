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
        let weight: Int
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
            guard let lesser = oldest(lighterThan: rank.weight) else { return false }
            entries.remove(at: lesser)
        }
        lastSequence += 1
        entries.append(
            Entry(sequence: lastSequence, bytes: message.bytes, rank: rank, weight: rank.weight)
        )
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

    /// The oldest of the lightest messages, if they are lighter than `weight`.
    private func oldest(lighterThan weight: Int) -> Int? {
        var found: Int?
        var lightest = weight
        for index in entries.indices where entries[index].weight < lightest {
            found = index
            lightest = entries[index].weight
        }
        return found
    }
}

extension NotifyMessage {
    /// How a queue without room treats this message.
    var rank: NotifyQueue.Rank {
        if assignments.contains(where: \.isLasting) { return .lifecycle }
        if assignments.allSatisfy(\.isPassing) { return .replaceable(assignments.map(\.name)) }
        return .ordinary
    }
}

extension NotifyMessage.Assignment {
    fileprivate var isPassing: Bool {
        switch name {
        case "STATUS", "EXTEND_TIMEOUT_USEC": true
        case "WATCHDOG": value == "1"
        default: false
        }
    }

    fileprivate var isLasting: Bool {
        switch name {
        case "READY", "STOPPING", "RELOADING", "ERRNO", "BUSERROR", "EXIT_STATUS", "MAINPID": true
        // No sign of life, but the end of it.
        case "WATCHDOG": value == "trigger"
        default: false
        }
    }
}
