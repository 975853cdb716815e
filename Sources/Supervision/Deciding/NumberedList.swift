/// A list in the order of its making, whose elements keep their numbers for good.
///
/// Numbers rise and are never used again, so that news about an element that has gone cannot be taken for news
/// about another. Finding an element takes no search as long as nothing was removed, and a binary one
/// afterwards; removing one takes constant time on average.
struct NumberedList<Element> {
    private var elements: [Element?]
    /// The numbers of the elements, where these are not their places: once something has been removed.
    private var numbers: [Int]?
    private var next: Int
    private(set) var count: Int

    init() {
        self.init(EmptyCollection())
    }

    init(_ elements: some Sequence<Element>) {
        self.elements = elements.map { $0 }
        count = self.elements.count
        next = count
    }

    /// The number that the next element will have.
    var nextNumber: Int { next }

    /// The element of that number, unless it has been removed.
    subscript(number: Int) -> Element? {
        position(of: number).flatMap { elements[$0] }
    }

    /// What `body` makes of an element, which need not be copied for that.
    func read<Result>(_ number: Int, _ body: (Element) -> Result) -> Result? {
        guard let position = position(of: number) else { return nil }
        return elements.withUnsafeBufferPointer { elements in
            switch elements[position] {
            case .some(let element): body(element)
            case .none: nil
            }
        }
    }

    /// Changes an element in its place.
    mutating func update<Result: ~Copyable>(_ number: Int, _ body: (inout Element) -> Result) -> Result? {
        guard let position = position(of: number), elements[position] != nil else { return nil }
        return body(&elements[position]!)
    }

    /// Adds an element at the end.
    ///
    /// - Returns: Its number.
    @discardableResult
    mutating func append(_ element: consuming Element) -> Int {
        defer { next += 1 }
        // A gap before the end was closed: from here on numbers and places differ.
        if numbers == nil, next != elements.count { numbers = Array(0..<elements.count) }
        elements.append(element)
        numbers?.append(next)
        count += 1
        return next
    }

    /// Removes the element of that number, if there is one.
    @discardableResult
    mutating func remove(_ number: Int) -> Element? {
        guard let position = position(of: number), let element = elements[position] else { return nil }
        elements[position] = nil
        count -= 1
        // Gaps at the end close at once, the others when they are most of the list.
        while case .some(nil) = elements.last {
            elements.removeLast()
            numbers?.removeLast()
        }
        if elements.count > 64, count < elements.count / 2 { closeGaps() }
        return element
    }

    private mutating func closeGaps() {
        numbers = elements.indices.filter { elements[$0] != nil }.map { numbers?[$0] ?? $0 }
        elements.removeAll { $0 == nil }
    }

    /// The number of the first element, from that number on, that fits.
    func first(from number: Int, where fits: (Element) -> Bool) -> Int? {
        var position = firstPosition(from: number)
        while position < elements.count {
            if self.fits(position, fits) { return numbers?[position] ?? position }
            position += 1
        }
        return nil
    }

    /// The number of the last element, before one number but not before the other, that fits.
    func last(before end: Int, from start: Int, where fits: (Element) -> Bool) -> Int? {
        var position = firstPosition(from: end) - 1
        while position >= 0 {
            let number = numbers?[position] ?? position
            guard number >= start else { return nil }
            if self.fits(position, fits) { return number }
            position -= 1
        }
        return nil
    }

    /// The first numbers and elements, at most that many.
    func prefix(_ limit: Int) -> [(number: Int, element: Element)] {
        var found: [(number: Int, element: Element)] = []
        found.reserveCapacity(min(limit, count))
        for (position, element) in elements.enumerated() where found.count < limit {
            if let element { found.append((numbers?[position] ?? position, element)) }
        }
        return found
    }

    /// Calls `body` with every number and element, in order.
    func forEach(_ body: (Int, Element) -> Void) {
        elements.withUnsafeBufferPointer { elements in
            for position in elements.indices {
                if case .some(let element) = elements[position] {
                    body(numbers?[position] ?? position, element)
                }
            }
        }
    }

    private func fits(_ position: Int, _ fits: (Element) -> Bool) -> Bool {
        elements.withUnsafeBufferPointer { elements in
            switch elements[position] {
            case .some(let element): fits(element)
            case .none: false
            }
        }
    }

    private func position(of number: Int) -> Int? {
        guard let numbers else { return number >= 0 && number < elements.count ? number : nil }
        let position = firstPosition(from: number)
        return position < numbers.count && numbers[position] == number ? position : nil
    }

    private func firstPosition(from number: Int) -> Int {
        guard let numbers else { return min(max(number, 0), elements.count) }
        // Numbers are never less than places, so that it does not stand behind the place that its number says.
        var low = 0
        var high = number < numbers.count ? max(number, -1) + 1 : numbers.count
        while low < high {
            let middle = (low + high) / 2
            if numbers[middle] < number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
