/// A list in the order of its making, whose elements keep their numbers for good.
///
/// Numbers rise and are never used again, so that news about an element that has gone cannot be taken for news
/// about another. Finding an element takes no search as long as nothing was removed, and a binary one
/// afterwards; removing one takes constant time on average.
struct NumberedList<Element> {
    private var entries: [(number: Int, element: Element?)]
    private var next: Int
    private(set) var count: Int

    init(_ elements: [Element] = []) {
        entries = elements.enumerated().map { ($0.offset, $0.element) }
        next = elements.count
        count = elements.count
    }

    /// The number that the next element will have.
    var nextNumber: Int { next }

    /// The element of that number, unless it has been removed.
    subscript(number: Int) -> Element? {
        position(of: number).flatMap { entries[$0].element }
    }

    /// Changes an element in its place.
    mutating func update<Result>(_ number: Int, _ body: (inout Element) -> Result) -> Result? {
        guard let position = position(of: number), entries[position].element != nil else { return nil }
        return body(&entries[position].element!)
    }

    /// Adds an element at the end.
    ///
    /// - Returns: Its number.
    @discardableResult
    mutating func append(_ element: Element) -> Int {
        defer { next += 1 }
        entries.append((next, element))
        count += 1
        return next
    }

    /// Removes the element of that number, if there is one.
    @discardableResult
    mutating func remove(_ number: Int) -> Element? {
        guard let position = position(of: number), let element = entries[position].element else { return nil }
        entries[position].element = nil
        count -= 1
        // Gaps at the end close at once, the others when they are most of the list.
        while let last = entries.last, last.element == nil { entries.removeLast() }
        if entries.count > 64, count < entries.count / 2 { entries.removeAll { $0.element == nil } }
        return element
    }

    /// The number of the first element, from that number on, that fits.
    func first(from number: Int, where fits: (Element) -> Bool) -> Int? {
        for position in firstPosition(from: number)..<entries.count {
            if let element = entries[position].element, fits(element) { return entries[position].number }
        }
        return nil
    }

    /// The number of the last element, before one number but not before the other, that fits.
    func last(before end: Int, from start: Int, where fits: (Element) -> Bool) -> Int? {
        var position = firstPosition(from: end) - 1
        while position >= 0, entries[position].number >= start {
            if let element = entries[position].element, fits(element) { return entries[position].number }
            position -= 1
        }
        return nil
    }

    /// The first numbers and elements, at most that many.
    func prefix(_ limit: Int) -> [(number: Int, element: Element)] {
        var found: [(number: Int, element: Element)] = []
        found.reserveCapacity(min(limit, count))
        for entry in entries where found.count < limit {
            if let element = entry.element { found.append((entry.number, element)) }
        }
        return found
    }

    /// Calls `body` with every number and element, in order.
    func forEach(_ body: (Int, Element) -> Void) {
        for entry in entries {
            if let element = entry.element { body(entry.number, element) }
        }
    }

    private func position(of number: Int) -> Int? {
        let position = firstPosition(from: number)
        return position < entries.count && entries[position].number == number ? position : nil
    }

    private func firstPosition(from number: Int) -> Int {
        // Where nothing has been removed, an element stands where its number says.
        if number >= 0, number < entries.count, entries[number].number == number { return number }
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
