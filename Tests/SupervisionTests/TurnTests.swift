import Foundation
import Synchronization
import Testing

@testable import Supervision

@Suite("Turn")
struct TurnTests {
    // The test looks after it, and nobody who goes by the time.
    private let turn = Turn(isWatched: true)

    @Test("a loan is given back once, unless another task has taken the turn")
    func loans() {
        let loan = turn.lend()
        #expect(turn.takeBack(loan))
        #expect(!turn.takeBack(loan))
        let next = turn.lend()
        #expect(next != loan)
        #expect(turn.look(since: turn.reading))
        #expect(!turn.takeBack(next), "nothing else happened between two looks: it took too long")
    }

    @Test("a turn is not taken while there is anything new in it")
    func news() {
        let reading = turn.reading
        let loan = turn.lend()
        #expect(turn.look(since: reading))
        #expect(turn.takeBack(loan))
        #expect(turn.look(since: loan))
        #expect(turn.takeBack(turn.lend()))
    }

    @Test("whoever handed out the turn hears when it is vacant, and when it is over")
    func outcomes() async {
        let vacant = await turn.hand {
            _ = turn.lend()
            _ = turn.look(since: turn.reading)
        }
        #expect(vacant == .vacant)
        #expect(await turn.hand { turn.end() } == .over)
    }

    @Test("it may be vacant, or over, before whoever handed it out has come to wait")
    func early() async {
        for outcome in [Turn.Outcome.vacant, .over, .vacant] {
            let turn = Turn(isWatched: true)
            let heard = await turn.hand {
                let isSaid = Flag()
                let loan = turn.lend()
                Thread.detachNewThread {
                    if outcome == .vacant { _ = turn.look(since: loan) } else { turn.end() }
                    isSaid.isSet.store(true, ordering: .relaxed)
                }
                // What the thread sanitizer takes for no order at all.
                while !isSaid.isSet.load(ordering: .relaxed) {}
            }
            #expect(heard == outcome)
        }
    }
}

private final class Flag: Sendable {
    let isSet = Atomic(false)
}
