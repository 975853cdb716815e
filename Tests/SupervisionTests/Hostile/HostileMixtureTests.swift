import SupervisionLock
import SupervisionTesting
import Testing

@testable import Supervision

/// What a child of the mixture is like.
private enum Character: CaseIterable {
    case obedient, stubborn, failing, failingAtItsStop, publishingLate, calling
}

/// The children of one tree, and who of them runs.
private final class Mixture: Sendable {
    private struct State {
        var running: Set<ChildPath> = []
        var doubled: [ChildPath] = []
        var starts: [ChildPath: Int] = [:]
        /// Those who are stubborn, and what they are given.
        var limits: [ChildPath: Duration] = [:]
        var references: [ChildReference<Int>] = []
        var random: SeededRandom
    }

    let hostile = Hostile()
    /// Opened when the tree has started: before, nobody fails.
    let isUp = Gate()
    private let state: Locked<State>
    private let supervisor = Locked<Supervisor?>(nil)

    init(seed: UInt64) {
        state = Locked(State(random: SeededRandom(seed: seed)))
    }

    var running: Set<ChildPath> { state.withLock(\.running) }
    var doubled: [ChildPath] { state.withLock(\.doubled) }
    var references: [ChildReference<Int>] { state.withLock(\.references) }

    /// What a child is given, where it is stubborn.
    func limit(of path: ChildPath) -> Duration? { state.withLock { $0.limits[path] } }

    /// Six supervisors of twenty, one above the others.
    func tree(_ strategy: Strategy) -> Supervisor {
        let tree = Supervisor(strategy: strategy, intensity: .unlimited) {
            for group in 0..<5 {
                Supervisor("group-\(group)", strategy: strategy, intensity: .unlimited) {
                    for number in 0..<20 { child(["group-\(group)", "\(number)"]) }
                }
            }
            for number in 0..<20 { child(["\(number)"]) }
        }
        supervisor.withLock { $0 = tree }
        hostile.passTime(in: tree) { [self] path in limit(of: path) != nil }
        tree.readEvents { [isUp] event in
            if case .started = event.kind, event.supervisor.ids.isEmpty { isUp.open() }
        }
        return tree
    }

    /// Lets go of the tree, which holds this.
    func end() {
        supervisor.withLock { $0 = nil }
    }

    private func child(_ path: ChildPath) -> ChildSpec {
        let reference = ChildReference<Int>()
        let (character, restart, limit) = state.withLock { state in
            let character = Character.allCases.randomElement(using: &state.random) ?? .obedient
            let limit = Duration.seconds(Int.random(in: 1...9, using: &state.random))
            if character == .stubborn { state.limits[path] = limit }
            state.references.append(reference)
            let restart = [Restart.permanent, .permanent, .transient].randomElement(using: &state.random)
            return (character, restart ?? .permanent, limit)
        }
        let shutdown = character == .stubborn ? Shutdown.timeout(limit) : .infinity
        return ChildSpec(
            path.ids.last ?? "",
            publishing: reference,
            restart: restart,
            shutdown: shutdown
        ) { [self] child in
            let starts = enter(path)
            defer { leave(path) }
            child.started(starts)
            try await run(child, character, starts)
        }
    }

    private func run(_ child: PublishingContext<Int>, _ character: Character, _ starts: Int) async throws {
        switch character {
        case .obedient:
            await child.shutdownRequested()
        case .stubborn:
            await hostile.release.wait()
        case .failing:
            try await isUp.waitUnlessCancelled()
            if starts < 3 { throw InjectedFailure() }
            await child.shutdownRequested()
        case .failingAtItsStop:
            await child.shutdownRequested()
            throw InjectedFailure("at its end")
        case .publishingLate:
            Task {
                await hostile.release.wait()
                child.started(-1)
            }
            await child.shutdownRequested()
        case .calling:
            await child.shutdownRequested()
            let supervisor = supervisor.withLock { $0 }
            _ = try await supervisor?.countChildren()
        }
    }

    private func enter(_ path: ChildPath) -> Int {
        state.withLock { state in
            if !state.running.insert(path).inserted { state.doubled.append(path) }
            state.starts[path, default: 0] += 1
            return state.starts[path] ?? 0
        }
    }

    private func leave(_ path: ChildPath) {
        state.withLock { _ = $0.running.remove(path) }
    }
}

@Suite("Hostile: everything at once", .timeLimit(.minutes(5)))
struct HostileMixtureTests {
    @Test(
        "whatever befalls it the tree ends, names exactly those that still run, and runs nobody twice",
        arguments: Strategy.allCases,
        UInt64(1)...6
    )
    func mixture(strategy: Strategy, seed: UInt64) async throws {
        let mixture = Mixture(seed: seed)
        let supervisor = mixture.tree(strategy)
        let trial = SupervisorTrial(supervisor, clock: mixture.hostile.clock)
        try await trial.started()
        await withTaskGroup(of: Void.self) { group in
            for caller in 0..<4 {
                group.addTask { await manage(supervisor, SeededRandom(seed: seed << 8 + UInt64(caller))) }
            }
        }
        let error = await trial.stop()

        #expect(Set(error?.abandoned ?? []) == mixture.running)
        #expect(mixture.doubled == [])
        for (child, time) in trial.story.abandoned {
            // More, where the clock has been moved for another one at the same time.
            #expect(mixture.limit(of: child).map { time >= $0 } == true, "\(child) after \(time)")
        }
        #expect(mixture.hostile.clock.sleeperCount == 0)
        mixture.hostile.release.open()
        try await trial.expectNothingLeft()
        #expect(mixture.running == [])
        for reference in mixture.references {
            #expect(reference.current == nil)
            #expect(await code { try await reference.value } == .childGone)
        }
        mixture.end()
    }

    /// Asks for everything that can be asked, at the top and below, until nobody answers any more.
    private func manage(_ supervisor: Supervisor, _ seed: SeededRandom) async {
        var random = seed
        let nested = supervisor.children.compactMap { $0.nested as? Supervisor }
        let expected: Set<SupervisorError.Code> = [
            .notRunning, .alreadyStarted, .alreadyPresent, .childNotFound, .childRunning, .childRestarting,
            .childFailedToStart, .childrenAbandoned,
        ]
        for _ in 0..<50 {
            let id = "\(Int.random(in: 0..<20, using: &random))"
            let group = "group-\(Int.random(in: 0..<5, using: &random))"
            let chosen = nested.randomElement(using: &random) ?? supervisor
            do {
                switch Int.random(in: 0..<12, using: &random) {
                case 0..<3: try await chosen.terminateChild(id)
                case 3..<6: try await chosen.restartChild(id)
                case 6: try await supervisor.terminateChild(id)
                case 7: try await supervisor.restartChild(id)
                case 8: try await supervisor.terminateChild(group)
                case 9: try await supervisor.restartChild(group)
                case 10: try await chosen.deleteChild(id)
                default: _ = await supervisor.snapshot(limit: 5)
                }
            } catch let error as SupervisorError {
                #expect(expected.contains(error.code), "\(error)")
            } catch {
                Issue.record("\(error)")
            }
        }
    }
}
