import Testing

@testable import SupervisionTesting

@Suite("Test clock")
struct TestClockTests {
    @Test("stands still until it is moved")
    func standsStill() {
        let clock = TestClock()
        #expect(clock.now.offset == .zero)
        clock.advance(by: .seconds(3))
        #expect(clock.now.offset == .seconds(3))
    }

    @Test("measures from the earlier to the later moment")
    func duration() {
        let early = TestClock.Instant(offset: .seconds(1))
        let late = early.advanced(by: .seconds(2))
        #expect(early.duration(to: late) == .seconds(2))
        #expect(late.duration(to: early) == .seconds(-2))
        #expect(early < late)
    }

    @Test("a sleeper wakes when its moment has come, not before")
    func wakes() async throws {
        let clock = TestClock()
        let sleep = Task { try await clock.sleep(for: .seconds(5)) }
        await clock.sleepers(atLeast: 1)
        clock.advance(by: .seconds(4))
        #expect(clock.sleeperCount == 1)
        clock.advance(by: .seconds(1))
        #expect(clock.sleeperCount == 0)
        try await sleep.value
    }

    @Test("a moment that has passed is not slept for")
    func past() async throws {
        let clock = TestClock()
        try await clock.sleep(until: clock.now, tolerance: nil)
    }

    @Test("one that is let go passes by itself, as far as anybody sleeps who would wake within a day")
    func letGo() async throws {
        let clock = TestClock()
        let sleeps = [5, 100_000].map { seconds in Task { try await clock.sleep(for: .seconds(seconds)) } }
        await clock.sleepers(atLeast: 2)
        clock.letGo()
        try await sleeps[0].value
        #expect(clock.now.offset == .seconds(5))
        #expect(clock.sleeperCount == 1)
        try await clock.sleep(for: .seconds(7))
        #expect(clock.now.offset == .seconds(12))
        sleeps[1].cancel()
    }

    @Test("a cancelled sleeper throws and is forgotten")
    func cancelled() async {
        let clock = TestClock()
        let sleep = Task { try await clock.sleep(for: .seconds(5)) }
        await clock.sleepers(atLeast: 1)
        sleep.cancel()
        await #expect(throws: CancellationError.self) { try await sleep.value }
        #expect(clock.sleeperCount == 0)
    }

    @Test("a task cancelled before it sleeps throws at once")
    func cancelledBefore() async {
        let clock = TestClock()
        let sleep = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await clock.sleep(for: .seconds(5))
        }
        await #expect(throws: CancellationError.self) { try await sleep.value }
    }
}
