import SupervisionTesting
import Testing

@testable import DaemonKit

@Suite("A serving session")
struct ServingSessionTests {
    @Test("has started when every socket has, and only once")
    func started() {
        let starts = Recorder<Void>()
        let session = ServingSession(name: "s", expectedSockets: 2, onStarted: { _ in starts.add(()) })
        session.started()
        #expect(starts.all.isEmpty)
        session.started()
        #expect(starts.all.count == 1)
        session.started()
        #expect(starts.all.count == 1)
    }

    @Test("counts connections in and out, and never below none")
    func counting() {
        let session = ServingSession(name: "s", expectedSockets: 1)
        session.connectionOpened()
        session.connectionOpened()
        session.connectionClosed()
        #expect(session.connectionCount == 1)
        session.connectionClosed()
        session.connectionClosed()
        #expect(session.connectionCount == 0)
        session.connectionOpened()
        #expect(session.connectionCount == 1)
    }

    @Test("cancelling ends the waiting for a drain, and nothing else")
    func cancelledWait() async {
        let session = ServingSession(name: "s", expectedSockets: 1)
        let task = Task { await session.drainRequested() }
        task.cancel()
        await task.value
        #expect(!session.isDraining)
    }

    @Test("a drain wakes all who wait for it, and those who ask later do not wait")
    func drainRequested() async {
        let session = ServingSession(name: "s", expectedSockets: 1)
        async let first: Void = session.drainRequested()
        async let second: Void = session.drainRequested()
        session.beginDrain()
        _ = await (first, second)
        await session.drainRequested()
        #expect(session.isDraining)
    }

    @Test("closures are called once, in the order of their registration")
    func drainOrder() {
        let session = ServingSession(name: "s", expectedSockets: 1)
        let calls = Recorder<Int>()
        for index in 0..<50 { session.onDrain { calls.add(index) } }
        session.beginDrain()
        session.beginDrain()
        #expect(calls.all == Array(0..<50))
    }

    @Test("a closure registered during a drain is called at once")
    func late() {
        let session = ServingSession(name: "s", expectedSockets: 1)
        session.beginDrain()
        let calls = Recorder<Void>()
        session.onDrain { calls.add(()) }
        #expect(calls.all.count == 1)
    }

    @Test("a closure whose registration is cancelled is not called, and let go of")
    func unregistered() {
        final class Token: Sendable {}
        let session = ServingSession(name: "s", expectedSockets: 1)
        let calls = Recorder<Void>()
        weak var token: Token?
        let registration = {
            let kept = Token()
            token = kept
            return session.onDrain { [kept] in withExtendedLifetime(kept) { calls.add(()) } }
        }()
        #expect(token != nil)
        registration.cancel()
        #expect(token == nil)
        session.beginDrain()
        #expect(calls.all.isEmpty)
    }

    @Test("places are given up to the limit, which is reported once until half are free")
    func limit() {
        let limits = Recorder<ListeningIncident>()
        let session = ServingSession(
            name: "s",
            expectedSockets: 1,
            maxConnections: 2,
            report: { limits.add($0) }
        )
        func open() -> Bool {
            guard session.reserve() else { return false }
            session.useReservations()
            return true
        }
        #expect(open() && open())
        #expect(!open() && !open())
        #expect(limits.all.count == 1)
        session.connectionClosed()
        #expect(open() && !open())
        #expect(limits.all.count == 2)
    }

    @Test("a place held for an accept is neither a connection nor free, and not the limit reached")
    func reservations() {
        let limits = Recorder<ListeningIncident>()
        let woken = Recorder<Void>()
        let session = ServingSession(
            name: "s",
            expectedSockets: 2,
            maxConnections: 1,
            report: { limits.add($0) }
        )
        _ = session.onClose { woken.add(()) }
        #expect(session.reserve())
        #expect(session.connectionCount == 0)
        #expect(!session.reserve())
        #expect(limits.all.isEmpty)
        session.dropReservations()
        #expect(woken.all.count == 1)
        #expect(session.reserve())
    }
}
