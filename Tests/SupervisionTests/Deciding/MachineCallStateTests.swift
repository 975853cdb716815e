import Testing

@testable import Supervision

/// Every call, in every state of the child that it is about.
@Suite("Decisions: calls by the state of the child")
struct MachineCallStateTests {
    enum Asked: CaseIterable {
        case start, terminate, restart, delete, find, read
    }

    /// What comes of a call at once.
    enum Outcome: Equatable {
        case refused(Refusal)
        case done
        case found
        /// The child is started, and the caller waits.
        case starts
        /// The child is stopped, and the caller waits.
        case stops
    }

    static let table: [(ChildState, Asked, Outcome, then: ChildState?)] = [
        (.unstarted, .start, .refused(.alreadyPresent), .unstarted),
        (.unstarted, .terminate, .done, .terminated),
        (.unstarted, .restart, .starts, .starting),
        (.unstarted, .delete, .done, nil),
        (.unstarted, .find, .found, .unstarted),
        (.unstarted, .read, .done, .unstarted),

        (.starting, .start, .refused(.alreadyStarted), .starting),
        (.starting, .terminate, .stops, .stopping),
        (.starting, .restart, .refused(.restarting), .starting),
        (.starting, .delete, .refused(.restarting), .starting),
        (.starting, .find, .found, .starting),
        (.starting, .read, .done, .starting),

        (.running, .start, .refused(.alreadyStarted), .running),
        (.running, .terminate, .stops, .stopping),
        (.running, .restart, .refused(.running), .running),
        (.running, .delete, .refused(.running), .running),
        (.running, .find, .found, .running),
        (.running, .read, .done, .running),

        (.waiting, .start, .refused(.alreadyStarted), .waiting),
        (.waiting, .terminate, .done, .terminated),
        (.waiting, .restart, .refused(.restarting), .waiting),
        (.waiting, .delete, .refused(.restarting), .waiting),
        (.waiting, .find, .found, .waiting),
        (.waiting, .read, .done, .waiting),

        (.stopped, .start, .refused(.alreadyPresent), .stopped),
        (.stopped, .terminate, .done, .terminated),
        (.stopped, .restart, .starts, .starting),
        (.stopped, .delete, .done, nil),
        (.stopped, .find, .found, .stopped),
        (.stopped, .read, .done, .stopped),

        (.terminated, .start, .refused(.alreadyPresent), .terminated),
        (.terminated, .terminate, .done, .terminated),
        (.terminated, .restart, .starts, .starting),
        (.terminated, .delete, .done, nil),
        (.terminated, .find, .found, .terminated),
        (.terminated, .read, .done, .terminated),

        (.done, .start, .refused(.alreadyPresent), .done),
        (.done, .terminate, .done, .terminated),
        (.done, .restart, .starts, .starting),
        (.done, .delete, .done, nil),
        (.done, .find, .found, .done),
        (.done, .read, .done, .done),

        (.givenUp, .start, .refused(.alreadyPresent), .givenUp),
        (.givenUp, .terminate, .done, .terminated),
        (.givenUp, .restart, .starts, .starting),
        (.givenUp, .delete, .done, nil),
        (.givenUp, .find, .found, .givenUp),
        (.givenUp, .read, .done, .givenUp),

        (.abandoned, .start, .refused(.alreadyStarted), .abandoned),
        (.abandoned, .terminate, .refused(.abandoned(ref(1))), .abandoned),
        (.abandoned, .restart, .refused(.running), .abandoned),
        (.abandoned, .delete, .refused(.running), .abandoned),
        (.abandoned, .find, .found, .abandoned),
        (.abandoned, .read, .done, .abandoned),
    ]

    /// A supervisor that serves calls, whose last child has come to that state.
    private func machine(_ state: ChildState) -> Machine {
        switch state {
        case .unstarted:
            // A pause in the start, before it was the third one's turn.
            var machine = Machine(strategy: .oneForAll, rules: [.plain().patient, .plain(), .plain()])
            _ = machine.start()
            _ = machine.childStarted(ref(0))
            _ = machine.end(ref(0))
            _ = machine.end(ref(1), .cancelled)
            return machine
        case .starting:
            var machine = Machine([.permanent, .permanent]).up()
            _ = machine.end(ref(1))
            return machine
        case .running:
            return Machine([.permanent, .permanent]).up()
        case .waiting:
            var machine = Machine(rules: [.plain(), .plain().patient]).up()
            _ = machine.end(ref(1))
            return machine
        case .stopped:
            var machine = Machine(strategy: .oneForAll, rules: [.plain().patient, .plain()]).up()
            _ = machine.end(ref(0))
            _ = machine.end(ref(1), .cancelled)
            return machine
        case .terminated:
            var machine = Machine([.permanent, .permanent]).up()
            _ = machine.call(99, .terminate(.slot(1)))
            _ = machine.end(ref(1), .cancelled)
            return machine
        case .done:
            var machine = Machine([.permanent, .transient]).up()
            _ = machine.end(ref(1), .returned)
            return machine
        case .givenUp:
            var machine = Machine([.permanent, .permanent]).up()
            _ = machine.end(ref(1), .threw, .giveUpChild)
            return machine
        case .abandoned:
            var machine = Machine([.permanent, .permanent]).up()
            _ = machine.call(99, .terminate(.slot(1)))
            _ = machine.deadlineReached(at: .seconds(5))
            return machine
        case .stopping:
            var machine = Machine([.permanent, .permanent]).up()
            _ = machine.call(99, .terminate(.slot(1)))
            return machine
        }
    }

    private func call(_ asked: Asked, _ slot: Int, _ isByID: Bool = true) -> Call {
        let target = isByID ? Call.Target.id("\(slot)") : .slot(slot)
        return switch asked {
        case .start: .start(id: "\(slot)", .plain())
        case .terminate: .terminate(target)
        case .restart: .restart(target)
        case .delete: .delete(target)
        case .find: .find(target)
        case .read: .read
        }
    }

    @Test("what a call comes to", arguments: table, [true, false])
    func outcome(
        row: (state: ChildState, asked: Asked, outcome: Outcome, then: ChildState?),
        isByID: Bool
    ) {
        var machine = machine(row.state)
        let slot = row.state == .unstarted ? 2 : 1
        #expect(machine.state(slot) == row.state)
        let current = ref(slot, machine.slots[slot]?.generation ?? 0)
        let next = ref(slot, current.generation + 1)
        let deeds = machine.call(1, call(row.asked, slot, isByID)).deeds
        switch row.outcome {
        case .refused(let refusal):
            #expect(deeds == [.reply(call: 1, .refused(refusal))])
        case .done:
            #expect(deeds == [.reply(call: 1, .done)])
        case .found:
            let standing = Standing(
                state: row.state,
                since: row.state == .abandoned ? .seconds(5) : .zero,
                generation: current.generation,
                until: row.state == .waiting ? .seconds(1) : nil
            )
            #expect(deeds == [.reply(call: 1, .found(slot: slot, standing))])
        case .starts:
            #expect(deeds == [.start(next)])
        case .stops:
            #expect(deeds == [.cancel(current)])
        }
        #expect(machine.state(slot) == row.then)
        if row.outcome == .starts {
            #expect(machine.childStarted(next).deeds == [.reply(call: 1, .started(next))])
        }
        if row.outcome == .stops {
            #expect(machine.end(current, .cancelled).deeds == [.reply(call: 1, .done)])
            #expect(machine.state(slot) == .terminated)
        }
    }

    @Test("a call about a child that is being stopped waits until it has", arguments: Asked.allCases)
    func stopping(asked: Asked) {
        var machine = machine(.stopping)
        #expect(machine.call(1, call(asked, 1)) == [])
        let deeds = machine.end(ref(1), .cancelled).deeds
        #expect(deeds.first == .reply(call: 99, .done))
        let terminated = Standing(state: .terminated, since: .zero, generation: 1, until: nil)
        let expected: Action =
            switch asked {
            case .start: .reply(call: 1, .refused(.alreadyPresent))
            case .terminate, .delete, .read: .reply(call: 1, .done)
            case .restart: .start(ref(1, 2))
            case .find: .reply(call: 1, .found(slot: 1, terminated))
            }
        #expect(deeds.dropFirst() == [expected])
    }

    @Test("a call about a child that there is not", arguments: [Asked.terminate, .restart, .delete, .find])
    func notFound(asked: Asked) {
        var machine = Machine([.permanent, .temporary]).up()
        let refused = Reply.refused(.notFound)
        for (number, isByID) in [(1, true), (2, false)] {
            #expect(machine.call(number, call(asked, 7, isByID)) == [.reply(call: number, refused)])
        }
        _ = machine.end(ref(1))
        for (number, isByID) in [(3, true), (4, false)] {
            #expect(machine.call(number, call(asked, 1, isByID)) == [.reply(call: number, refused)])
        }
    }

    @Test(
        "those who want a child hear of it when a call makes an end of it",
        arguments: [Asked.terminate, .delete]
    )
    func retired(asked: Asked) {
        var machine = machine(.stopped)
        #expect(machine.call(1, call(asked, 1)).contains(.retire(slot: 1)))
    }

    @Test("a child deleted while it waits along with a sibling does not come back with it")
    func deletedWhileStopped() {
        var machine = machine(.stopped)
        _ = machine.call(1, .delete(.slot(1)))
        #expect(machine.settle(machine.deadlineReached(at: .seconds(1))).starts == [0])
    }
}
