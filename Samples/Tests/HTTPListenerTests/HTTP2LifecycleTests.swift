import NIOCore
import Testing

@testable import HTTPListener

@Suite("The times of HTTP/2")
struct HTTP2LifecycleTests {
    private var lifecycle: HTTP2Lifecycle<Int> {
        var lifecycle = HTTP2Lifecycle<Int>(HTTPConfiguration())
        lifecycle.connected(now: second(0))
        return lifecycle
    }

    private func second(_ number: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(number) }

    @Test(
        "a request that is whole has no deadline, whichever of its news comes first",
        arguments: [false, true]
    )
    func whole(openedFirst: Bool) {
        var lifecycle = lifecycle
        if openedFirst { lifecycle.opened(1, now: second(1)) }
        _ = lifecycle.received(1, isEnd: false, now: second(1))
        _ = lifecycle.received(1, isEnd: true, now: second(1))
        if !openedFirst { lifecycle.opened(1, now: second(1)) }
        #expect(lifecycle.deadlinePassed(unsent: 0, now: second(100_000)) == [])
        #expect(lifecycle.deadline == nil)
    }

    @Test("news of a request that is closed does not open it again")
    func late() {
        var lifecycle = lifecycle
        lifecycle.opened(1, now: second(1))
        #expect(lifecycle.closed(1, now: second(2)) == nil)
        _ = lifecycle.received(1, isEnd: false, now: second(3))
        #expect(lifecycle.drain(now: second(4)) == .announceEnd)
        #expect(lifecycle.heard(now: second(5)) == [.refuseAfter(1), .close])
    }

    @Test("one that sends or takes something in time goes on, one that does not is reset")
    func progress() {
        var lifecycle = lifecycle
        _ = lifecycle.received(1, isEnd: false, now: second(0))
        lifecycle.readRequested(1, now: second(0))
        _ = lifecycle.received(1, isEnd: false, now: second(59))
        lifecycle.readRequested(1, now: second(59))
        #expect(lifecycle.deadlinePassed(unsent: 0, now: second(60)) == [])
        _ = lifecycle.received(1, isEnd: true, now: second(60))
        lifecycle.waits(1, true, now: second(100))
        lifecycle.sent(1, isEnd: false, now: second(129))
        #expect(lifecycle.deadlinePassed(unsent: 0, now: second(130)) == [])
        #expect(lifecycle.deadline == second(159))
        #expect(lifecycle.deadlinePassed(unsent: 0, now: second(159)) == [.reset(1)])
        #expect(lifecycle.deadline == nil)
    }

    @Test("a response that is sent whole waits for nobody, though its request is not")
    func early() {
        var lifecycle = lifecycle
        _ = lifecycle.received(1, isEnd: false, now: second(0))
        lifecycle.waits(1, true, now: second(1))
        lifecycle.sent(1, isEnd: true, now: second(2))
        #expect(lifecycle.deadlinePassed(unsent: 0, now: second(1000)) == [])
        #expect(lifecycle.deadline == nil)
    }

    @Test("an end that is announced twice is announced once, and time does for an answer")
    func announced() {
        var lifecycle = lifecycle
        #expect(lifecycle.drain(now: second(1)) == .announceEnd)
        #expect(lifecycle.drain(now: second(1)) == nil)
        lifecycle.opened(1, now: second(1))
        #expect(lifecycle.deadlinePassed(unsent: 0, now: second(2)) == [.refuseAfter(1)])
        #expect(lifecycle.heard(now: second(2)) == [])
        #expect(lifecycle.closed(1, now: second(3)) == .close)
        lifecycle.allSent()
        #expect(lifecycle.deadlinePassed(unsent: 0, now: second(100)) == [])
    }

    @Test("what is written when it is time to close is sent to a client that takes something in each period")
    func closing() {
        var lifecycle = lifecycle
        _ = lifecycle.drain(now: second(1))
        #expect(lifecycle.heard(now: second(2)) == [.refuseAfter(nil), .close])
        for (round, unsent) in [1000, 999].enumerated() {
            let now = second(32 + 30 * Int64(round))
            #expect(lifecycle.deadlinePassed(unsent: unsent, now: now) == [])
            #expect(lifecycle.deadline == now + .seconds(30))
        }
        #expect(lifecycle.deadlinePassed(unsent: 999, now: second(92)) == [.cut])
        #expect(lifecycle.deadline == nil)
    }

    @Test("the same goes for one that has broken the rules")
    func broken() {
        var lifecycle = lifecycle
        _ = lifecycle.received(1, isEnd: true, now: second(1))
        #expect(lifecycle.broken(now: second(2)) == .close)
        #expect(lifecycle.broken(now: second(3)) == nil)
        #expect(lifecycle.drain(now: second(4)) == nil)
        #expect(lifecycle.closed(1, now: second(5)) == nil)
        #expect(lifecycle.deadlinePassed(unsent: 1000, now: second(32)) == [])
        #expect(lifecycle.deadlinePassed(unsent: 1000, now: second(62)) == [.cut])
    }

    @Test("a response that waits behind others goes on while the client takes those")
    func behind() {
        var lifecycle = lifecycle
        _ = lifecycle.received(1, isEnd: true, now: second(0))
        lifecycle.waits(1, true, now: second(0))
        for (round, unsent) in [1000, 999].enumerated() {
            #expect(lifecycle.deadlinePassed(unsent: unsent, now: second(30 + 30 * Int64(round))) == [])
        }
        #expect(lifecycle.deadline == second(90))
        #expect(lifecycle.deadlinePassed(unsent: 999, now: second(90)) == [.reset(1)])
    }

    @Test("a request that comes when the client is being refused more is nothing for a route")
    func refused() {
        var lifecycle = lifecycle
        #expect(lifecycle.received(1, isEnd: true, now: second(0)) == true)
        _ = lifecycle.drain(now: second(1))
        #expect(lifecycle.received(3, isEnd: true, now: second(1)) == true, "it cannot have heard of it yet")
        #expect(lifecycle.heard(now: second(2)) == [.refuseAfter(3)])
        lifecycle.opened(5, now: second(3))
        #expect(lifecycle.received(5, isEnd: true, now: second(3)) == false)
        #expect(lifecycle.received(3, isEnd: true, now: second(3)) == true)
        #expect(lifecycle.closed(1, now: second(4)) == nil)
        #expect(lifecycle.closed(3, now: second(4)) == .close)
    }
}
