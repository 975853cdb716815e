/// First in, first out, in constant time on average.
///
/// One array for as long as it is used, whose places are used again: what is taken out is moved, not copied.
struct Queue<Element> {
    private var places: [Element?] = []
    private var first = 0
    private var end = 0

    /// Whether there is nothing in it.
    var isEmpty: Bool { first == end }

    /// How much is in it.
    var count: Int { end - first }

    /// Puts an element in.
    mutating func push(_ element: Element) {
        if end == places.count {
            places.append(element)
        } else {
            places[end] = element
        }
        end += 1
    }

    /// Takes out the element that has been in for longest.
    mutating func pop() -> Element? {
        guard first < end else { return nil }
        let element = places[first].take()
        first += 1
        if first == end {
            // The room is kept for the next ones, unless it was a great crowd.
            if places.count > Self.keptRoom { places = [] }
            (first, end) = (0, 0)
        } else if first > Self.keptRoom, first > end / 2 {
            places.removeFirst(first)
            (first, end) = (0, end - first)
        }
        return element
    }

    private static var keptRoom: Int { 64 }
}

extension Queue: Sendable where Element: Sendable {}
