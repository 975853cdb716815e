/// First in, first out, in constant time on average.
///
/// One array for as long as it is used: what has been taken out stays in front until it is most of the array.
struct Queue<Element> {
    private var elements: [Element] = []
    private var first = 0

    /// Whether there is nothing in it.
    var isEmpty: Bool { first == elements.count }

    /// Puts an element in.
    mutating func push(_ element: Element) {
        elements.append(element)
    }

    /// Takes out the element that has been in for longest.
    mutating func pop() -> Element? {
        guard first < elements.count else { return nil }
        let element = elements[first]
        first += 1
        if first == elements.count {
            // The room is kept for the next ones, unless it was a great crowd.
            elements.removeAll(keepingCapacity: first <= 64)
            first = 0
        } else if first > 64, first > elements.count / 2 {
            elements.removeFirst(first)
            first = 0
        }
        return element
    }
}
