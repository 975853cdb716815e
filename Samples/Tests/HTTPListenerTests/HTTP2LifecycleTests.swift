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
        lifecycle.received(1, isEnd: false, now: second(1))
        lifecycle.received(1, isEnd: true, now: second(1))
        if !openedFirst { lifecycle.opened(1, now: second(1)) }
        #expect(lifecycle.deadlinePassed(now: second(100_000)) == [])
        #expect(lifecycle.deadline == nil)
    }

    @Test("news of a request that is closed does not open it again")
    func late() {
        var lifecycle = lifecycle
        lifecycle.opened(1, now: second(1))
        #expect(lifecycle.closed(1, now: second(2)) == nil)
        lifecycle.received(1, isEnd: false, now: second(3))
        #expect(lifecycle.drain(now: second(4)) == .announceEnd)
        #expect(lifecycle.heard() == [.refuseAfter(1), .close])
    }

    @Test("one that sends or takes something in time goes on, one that does not is reset")
    func progress() {
        var lifecycle = lifecycle
        lifecycle.received(1, isEnd: false, now: second(0))
        lifecycle.received(1, isEnd: false, now: second(59))
        #expect(lifecycle.deadlinePassed(now: second(60)) == [])
        lifecycle.received(1, isEnd: true, now: second(60))
        lifecycle.waits(1, true, now: second(100))
        lifecycle.sent(1, now: second(129))
        #expect(lifecycle.deadlinePassed(now: second(130)) == [])
        #expect(lifecycle.deadline == second(159))
        #expect(lifecycle.deadlinePassed(now: second(159)) == [.reset(1)])
        #expect(lifecycle.deadline == nil)
    }

    @Test("an end that is announced twice is announced once, and time does for an answer")
    func announced() {
        var lifecycle = lifecycle
        #expect(lifecycle.drain(now: second(1)) == .announceEnd)
        #expect(lifecycle.drain(now: second(1)) == nil)
        lifecycle.opened(1, now: second(1))
        #expect(lifecycle.deadlinePassed(now: second(2)) == [.refuseAfter(1)])
        #expect(lifecycle.heard() == [])
        #expect(lifecycle.closed(1, now: second(3)) == .close)
        #expect(lifecycle.deadlinePassed(now: second(100)) == [])
    }
}
