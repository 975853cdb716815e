import Testing

@testable import Supervision

@Suite("Inbox")
struct InboxTests {
    @Test("messages come out in the order in which they went in")
    func order() async {
        let inbox = Inbox()
        inbox.send(.started(ref(0)))
        inbox.send(.started(ref(1)))
        await withUnsafeContinuation { inbox.wait($0) }
        let slots = taken(from: inbox).map { if case .started(let ref) = $0 { ref.slot } else { -1 } }
        #expect(slots == [0, 1])
    }

    @Test("a reader that waits is woken")
    func wakes() async {
        let inbox = Inbox()
        async let news: Void = withUnsafeContinuation { inbox.wait($0) }
        inbox.send(.stop)
        await news
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
}
