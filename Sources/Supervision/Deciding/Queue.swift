/// First in, first out, in constant time on average.
struct Queue<Element> {
    private var incoming: [Element] = []
    private var outgoing: [Element] = []

    /// Whether there is nothing in it.
    var isEmpty: Bool { incoming.isEmpty && outgoing.isEmpty }

    /// Puts an element in.
    mutating func push(_ element: Element) {
        incoming.append(element)
    }

    /// Takes out the element that has been in for longest.
    mutating func pop() -> Element? {
        if outgoing.isEmpty {
            outgoing = incoming.reversed()
            incoming = []
        }
        return outgoing.popLast()
    }
}
