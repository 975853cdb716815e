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
        /// Open until the entry has gone.
        let descriptors: [OwnedDescriptor]
        let rank: Rank
        let weight: Int
        /// Which barrier this is, if it is one.
        let barrier: UInt64?
    }

    let capacity: Int
    let descriptorCapacity: Int
    private(set) var entries: [Entry] = []
    private(set) var descriptorCount = 0
    private var firstIsUnderWay = false
    /// How many entries there are of each weight: a flood into a full queue must not search it every time.
    private var counts = [0, 0, 0]
    private(set) var droppedCount = 0
    private(set) var lastSequence: UInt64 = 0

    /// Bounds the number of messages, and of the descriptors that they hold open: two full messages.
    init(capacity: Int = 128, descriptorCapacity: Int = 2 * NotifyMessage.mostDescriptors) {
        self.capacity = capacity
        self.descriptorCapacity = descriptorCapacity
    }

    var isEmpty: Bool {
        entries.isEmpty
    }

    /// Adds a message; false, and counted, when there is no room for one of its rank.
    mutating func append(_ message: NotifyMessage, barrier: UInt64? = nil) -> Bool {
        let rank = message.rank
        if case .replaceable = rank, let older = replaceable(like: rank) { remove(at: older) }
        guard descriptorCount + message.descriptors.count <= descriptorCapacity else {
            if barrier == nil { droppedCount += 1 }
            return false
        }
        if entries.count >= capacity {
            guard let lesser = oldest(lighterThan: rank.weight) else {
                if barrier == nil { droppedCount += 1 }
                return false
            }
            droppedCount += 1
            remove(at: lesser)
        }
        lastSequence += 1
        descriptorCount += message.descriptors.count
        counts[rank.weight] += 1
        entries.append(
            Entry(
                sequence: lastSequence,
                bytes: message.bytes,
                descriptors: message.descriptors,
                rank: rank,
                weight: rank.weight,
                barrier: barrier
            )
        )
        return true
    }

    /// Notes that part of the oldest has left: it stays where it is until all of it has.
    mutating func keepFirst() {
        firstIsUnderWay = true
    }

    /// Takes out the oldest, because it has left.
    mutating func removeFirst() {
        remove(at: 0)
        firstIsUnderWay = false
    }

    /// Takes out the oldest, because it cannot leave; a barrier loses nothing.
    mutating func dropFirst() {
        if entries[0].barrier == nil { droppedCount += 1 }
        removeFirst()
    }

    /// Takes out a barrier that nobody waits for any more.
    mutating func remove(barrier: UInt64) {
        if let index = entries.firstIndex(where: { $0.barrier == barrier }) { remove(at: index) }
    }

    /// Takes out everything, because nothing can leave any more.
    mutating func dropAll() {
        while !entries.isEmpty { dropFirst() }
    }

    /// The entries that may be taken out of order.
    private var movable: Range<Int> {
        (firstIsUnderWay ? 1 : 0)..<entries.endIndex
    }

    private mutating func remove(at index: Int) {
        descriptorCount -= entries[index].descriptors.count
        counts[entries[index].weight] -= 1
        entries.remove(at: index)
    }

    /// The message of a replaceable rank: there is one at most, and in a flood it is among the newest.
    private func replaceable(like rank: Rank) -> Int? {
        guard counts[rank.weight] > 0 else { return nil }
        return movable.last { entries[$0].rank == rank }
    }

    /// The oldest of the lightest messages, if they are lighter than `weight`.
    private func oldest(lighterThan weight: Int) -> Int? {
        guard counts[..<weight].contains(where: { $0 > 0 }) else { return nil }
        var found: Int?
        var lightest = weight
        for index in movable where entries[index].weight < lightest {
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
        case "READY", "STOPPING", "RELOADING", "MAINPID", "MAINPIDFD": true
        case "ERRNO", "BUSERROR", "VARLINKERROR", "EXIT_STATUS": true
        // What the next start lives on.
        case "FDSTORE", "FDSTOREREMOVE": true
        case "BARRIER": true
        // No sign of life, but the end of it.
        case "WATCHDOG": value == "trigger"
        default: false
        }
    }
}
