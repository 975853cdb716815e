import SupervisionTesting
import Testing

@testable import Supervision

@Suite("Inbox")
struct InboxTests {
    @Test("messages come out in the order in which they went in")
    func order() async {
        let inbox = Inbox()
        inbox.send(.started(ref(0)))
        inbox.send(.started(ref(1)))
        let call = await withUnsafeContinuation { task in
            if !inbox.wait(Self.reader(task)) { task.resume(returning: .work) }
        }
        #expect(call == .work, "there is something already")
        let slots = taken(from: inbox).map { if case .started(let ref) = $0 { ref.slot } else { -1 } }
        #expect(slots == [0, 1])
    }

    @Test("a reader that waits is woken, and told whose thread it has")
    func wakes() async {
        let ways: [(Inbox.Reader.Call, @Sendable (Inbox) -> Bool)] = [
            (.work, { $0.send(.stop) }), (.visit, { $0.bring(.stop) }),
        ]
        for (expected, put) in ways {
            let inbox = Inbox()
            let call = await withUnsafeContinuation { task in
                #expect(inbox.wait(Self.reader(task)))
                #expect(put(inbox))
            }
            #expect(call == expected)
            #expect(taken(from: inbox).count == 1)
        }
    }

    @Test("who leaves a message acts in the place of the reader that waits, once")
    func visits() async {
        let inbox = Inbox()
        let visits = Recorder<Int>()
        let call = await withUnsafeContinuation { task in
            let reader = Inbox.Reader(task: task) { task in
                visits.add(taken(from: inbox).count)
                task.resume(returning: .leave)
            }
            #expect(inbox.wait(reader))
            inbox.leave(.ended(ref(0), .returned))
            #expect(visits.all == [1])
            inbox.leave(.ended(ref(1), .returned))
        }
        #expect(call == .leave)
        #expect(visits.all == [1])
        #expect(taken(from: inbox).count == 1)
    }

    @Test("once closed it takes nothing, says so, and gives back what nobody read")
    func closed() async {
        let inbox = Inbox()
        #expect(inbox.send(.stop))
        #expect(inbox.close().count == 1)
        #expect(inbox.send(.stop) == false)
        #expect(taken(from: inbox).isEmpty)
    }

    /// A reader that is woken, and visited by nobody.
    private static func reader(_ task: Inbox.Reader.Waiting) -> Inbox.Reader {
        Inbox.Reader(task: task) { $0.resume(returning: .leave) }
    }
}
