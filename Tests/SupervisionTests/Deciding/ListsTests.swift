import Testing

@testable import Supervision

@Suite("Numbered list")
struct NumberedListTests {
    @Test("numbers rise, and none is used twice")
    func numbers() {
        var list = NumberedList(["a", "b"])
        #expect(list.nextNumber == 2)
        #expect(list.append("c") == 2)
        #expect(list.remove(2) == "c")
        #expect(list.remove(1) == "b")
        #expect(list.append("d") == 3)
        #expect(list[1] == nil && list[2] == nil && list[3] == "d")
        #expect(list.count == 2)
    }

    @Test("what is not there is neither found, changed nor removed", arguments: [-1, 1, 3, 4, Int.max])
    func absent(number: Int) {
        var list = NumberedList(["a", "b", "c", "d"])
        list.remove(1)
        list.remove(3)
        #expect(list[number] == nil)
        #expect(list.update(number) { $0 = "x" } == nil)
        #expect(list.remove(number) == nil)
        #expect(list.count == 2)
    }

    @Test("searches begin and end where they are told, and skip gaps")
    func searches() {
        var list = NumberedList(Array(0..<10))
        for number in [0, 4, 5, 9] { list.remove(number) }
        #expect(list.first(from: 0) { _ in true } == 1)
        #expect(list.first(from: 4) { _ in true } == 6)
        #expect(list.first(from: 2) { $0.isMultiple(of: 4) } == 8)
        #expect(list.first(from: 9) { _ in true } == nil)
        #expect(list.first(from: 0) { $0 > 100 } == nil)
        #expect(list.last(before: .max, from: 0) { _ in true } == 8)
        #expect(list.last(before: 6, from: 0) { _ in true } == 3)
        #expect(list.last(before: 6, from: 4) { _ in true } == nil)
        #expect(list.last(before: 8, from: 7) { _ in true } == 7)
        #expect(list.prefix(3).map(\.number) == [1, 2, 3])
        #expect(list.prefix(0).isEmpty)
        #expect(list.prefix(100).map(\.element) == [1, 2, 3, 6, 7, 8])
    }

    @Test("it does what a dictionary would, through thousands of changes", arguments: 1...UInt64(8))
    func model(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let start = random.below(200)
        var list = NumberedList(Array(0..<start))
        var model = Dictionary(uniqueKeysWithValues: (0..<start).map { ($0, $0) })
        var next = start
        for step in 0..<3_000 {
            // Grows at first, and then shrinks, so that its gaps are closed again and again.
            let appends = step < 1_000 ? 6 : 3
            if random.below(10) < appends {
                #expect(list.append(step) == next)
                model[next] = step
                next += 1
            } else if random.once(in: 2), next > 0 {
                let number = random.below(next)
                #expect(list.remove(number) == model.removeValue(forKey: number))
            } else if let number = list.first(from: random.below(next + 1), where: { _ in true }) {
                #expect(list.update(number) { $0 += 1 } != nil)
                model[number]? += 1
                #expect(list.remove(number) == model.removeValue(forKey: number))
            }
            #expect(list.count == model.count)
            guard step.isMultiple(of: 250) else { continue }
            let numbers = model.keys.sorted()
            #expect(list.prefix(.max).map(\.number) == numbers)
            #expect(list.prefix(.max).map(\.element) == numbers.map { model[$0] })
            var visited: [Int] = []
            list.forEach { number, element in
                visited.append(number)
                if model[number] != element { Issue.record("\(number) is \(element)") }
            }
            #expect(visited == numbers)
            let from = random.below(next + 1)
            let end = random.below(next + 1)
            let isEven: (Int) -> Bool = { $0.isMultiple(of: 2) }
            #expect(
                list.first(from: from, where: isEven)
                    == numbers.first { $0 >= from && isEven(model[$0] ?? 1) }
            )
            #expect(
                list.last(before: end, from: from, where: isEven)
                    == numbers.last { $0 >= from && $0 < end && isEven(model[$0] ?? 1) }
            )
        }
    }
}

@Suite("Deadline queue")
struct DeadlineQueueTests {
    @Test("what is due first comes out first, and nothing before its time", arguments: 1...UInt64(8))
    func order(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var queue = DeadlineQueue<Int>()
        var model: [(deadline: Int, subject: Int)] = []
        var now = 0
        for subject in 0..<500 {
            if random.below(3) > 0 {
                let deadline = now + random.below(100)
                queue.insert(subject, at: .seconds(deadline))
                model.append((deadline, subject))
            } else {
                now += random.below(20)
            }
            if random.once(in: 3) {
                let due = model.map(\.deadline).min()
                #expect(queue.earliest == due.map { .seconds($0) })
                let popped = queue.popDue(at: .seconds(now))
                #expect((popped != nil) == (due.map { $0 <= now } ?? false))
                if let popped, let index = model.firstIndex(where: { $0.subject == popped }) {
                    #expect(model[index].deadline == due)
                    model.remove(at: index)
                }
            }
        }
        #expect(queue.subjects.sorted() == model.map(\.subject).sorted())
        queue.removeAll()
        #expect(queue.earliest == nil && queue.popDue(at: .seconds(1_000_000)) == nil)
    }

    @Test("a deadline is due in its very moment")
    func edge() {
        var queue = DeadlineQueue<String>()
        queue.insert("a", at: .seconds(2))
        #expect(queue.popDue(at: .seconds(2) - .nanoseconds(1)) == nil)
        #expect(queue.popDue(at: .seconds(2)) == "a")
        #expect(queue.popDue(at: .seconds(2)) == nil)
    }
}

@Suite("Queue")
struct QueueTests {
    @Test("what went in first comes out first", arguments: 1...UInt64(4))
    func order(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var queue = Queue<Int>()
        var model: [Int] = []
        for number in 0..<300 {
            if random.below(5) < 3 {
                queue.push(number)
                model.append(number)
            } else {
                #expect(queue.pop() == (model.isEmpty ? nil : model.removeFirst()))
            }
            #expect(queue.isEmpty == model.isEmpty)
        }
        while !model.isEmpty { #expect(queue.pop() == model.removeFirst()) }
        #expect(queue.pop() == nil)
    }
}
