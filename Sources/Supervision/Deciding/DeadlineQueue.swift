/// Moments at which something is due, the earliest first: a binary heap.
struct DeadlineQueue<Subject> {
    private var heap: [(deadline: Duration, subject: Subject)] = []

    /// The earliest moment.
    var earliest: Duration? { heap.first?.deadline }

    /// Everything that is in it, in no order.
    var subjects: [Subject] { heap.map(\.subject) }

    /// Notes that something is due then.
    mutating func insert(_ subject: Subject, at deadline: Duration) {
        heap.append((deadline, subject))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].deadline < heap[parent].deadline else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// Takes out what is due at `now`: the earliest, if its moment has come.
    mutating func popDue(at now: Duration) -> Subject? {
        guard let first = heap.first, first.deadline <= now else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].deadline < heap[least].deadline { least = child }
            }
            guard least != parent else { return first.subject }
            heap.swapAt(parent, least)
            parent = least
        }
    }

    /// Takes out everything.
    mutating func removeAll() {
        heap = []
    }
}
