import Glibc
import Testing

@testable import Systemd

@Suite("NotifyQueue")
struct NotifyQueueTests {
    private func contents(_ queue: NotifyQueue) -> [String] {
        queue.entries.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    private func own(_ number: Int) throws -> NotifyMessage {
        try .variable("X_N", "\(number)")
    }

    /// Offers messages one by one; gives those that were refused.
    private func offer(_ messages: [NotifyMessage], to queue: inout NotifyQueue) -> [String] {
        messages.filter { !queue.append($0) }.map(\.description)
    }

    @Test("a newer one of the same kind replaces the older, behind what came between")
    func replaces() {
        var queue = NotifyQueue()
        let refused = offer([.status("a"), .watchdog, .stopping, .status("b"), .watchdog], to: &queue)
        #expect(refused.isEmpty)
        #expect(contents(queue) == ["STOPPING=1", "STATUS=b", "WATCHDOG=1"])
        #expect(queue.droppedCount == 0)
    }

    @Test("only messages of one and the same passing kind replace each other")
    func kinds() {
        let messages: [NotifyMessage] = [
            .status("a"),
            .extendTimeout(by: .seconds(1)),
            .status("b") + .extendTimeout(by: .seconds(2)),
            .ready + .status("c"),
            .watchdogTrigger,
            .watchdog,
            .reloading(at: MonotonicInstant(microseconds: 1)),
            .ready,
            .ready,
        ]
        var queue = NotifyQueue()
        let refused = offer(messages, to: &queue)
        #expect(refused.isEmpty)
        #expect(contents(queue) == messages.map(\.description))
    }

    @Test("a full queue drops the passing before one's own, and that before a step of life")
    func ranks() throws {
        var queue = NotifyQueue(capacity: 3)
        var refused = offer([try own(1), .status("a"), try own(2), .ready], to: &queue)
        #expect(refused.isEmpty)
        #expect(contents(queue) == ["X_N=1", "X_N=2", "READY=1"])
        refused = offer([.stopping], to: &queue)
        #expect(refused.isEmpty)
        #expect(contents(queue) == ["X_N=2", "READY=1", "STOPPING=1"])
        #expect(queue.droppedCount == 2)
        refused = offer([.status("b"), try own(3), .errno(5)], to: &queue)
        #expect(refused == ["STATUS=b", "X_N=3"])
        #expect(contents(queue) == ["READY=1", "STOPPING=1", "ERRNO=5"])
        refused = offer([.mainProcess(1)], to: &queue)
        #expect(refused == ["MAINPID=1"])
        #expect(queue.droppedCount == 6)
    }

    @Test("a replacement finds room in a full queue")
    func replacementWhenFull() {
        var queue = NotifyQueue(capacity: 2)
        let refused = offer([.status("a"), .ready, .status("b")], to: &queue)
        #expect(refused.isEmpty)
        #expect(contents(queue) == ["READY=1", "STATUS=b"])
        #expect(queue.droppedCount == 0)
    }

    @Test("a barrier keeps its place as a step of life does, and is no loss")
    func barrier() {
        var queue = NotifyQueue(capacity: 1)
        let ends = makePipe()
        defer { close(ends.read) }
        let barrier = NotifyMessage.barrier(OwnedDescriptor(taking: ends.write))
        var taken = [
            queue.append(barrier, barrier: 1), queue.append(.ready), queue.append(barrier, barrier: 2),
        ]
        #expect(taken == [true, false, false])
        #expect(queue.droppedCount == 1)
        queue.remove(barrier: 2)
        #expect(queue.entries.map(\.barrier) == [1])
        queue.remove(barrier: 1)
        taken = [queue.append(.ready)]
        #expect(taken == [true])
        queue.removeFirst()
        taken = [queue.append(barrier, barrier: 3)]
        #expect(taken == [true])
        queue.dropAll()
        #expect(queue.isEmpty)
        #expect(queue.droppedCount == 1)
    }

    @Test("what leaves is not counted, what cannot leave is")
    func counting() {
        var queue = NotifyQueue()
        let refused = offer([.ready, .errno(1), .stopping, .status("a")], to: &queue)
        #expect(refused.isEmpty)
        queue.removeFirst()
        queue.dropFirst()
        #expect(contents(queue) == ["STOPPING=1", "STATUS=a"])
        #expect(queue.droppedCount == 1)
        queue.dropAll()
        #expect(queue.isEmpty)
        #expect(queue.droppedCount == 3)
    }
}
