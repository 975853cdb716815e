import Supervision
import SupervisionLock
import SupervisionTesting
import Testing

@Suite("Task supervision")
struct TaskSupervisorTests {
    /// Runs something beside a task supervisor that is up, and stops the tree afterwards.
    private func withTasks(
        maxTasks: Int = .max,
        _ body: (TaskSupervisor, SupervisorTrial) async throws -> Void
    ) async throws {
        let tasks = TaskSupervisor(maxTasks: maxTasks)
        let trial = SupervisorTrial(Supervisor { tasks })
        try await trial.started()
        try await body(tasks, trial)
        #expect(await trial.stop() == nil)
    }

    @Test("the result of the work is that of the call")
    func value() async throws {
        try await withTasks { tasks, _ in
            #expect(try await tasks.run { 42 } == 42)
            let task = try await tasks.start { "later" }
            #expect(try await task.value == "later")
            #expect(try await task.value == "later", "as often as it is asked for")
        }
    }

    @Test("what the work throws is thrown to whoever waits, and touches nobody else")
    func failure() async throws {
        try await withTasks { tasks, trial in
            let gate = Gate()
            let sibling = try await tasks.start { await gate.wait() }
            await #expect(throws: InjectedFailure("no")) {
                try await tasks.run { throw InjectedFailure("no") }
            }
            #expect(try await tasks.countTasks() == 1)
            gate.open()
            try await sibling.value
            #expect(!trial.story.lines.contains { $0.contains("restarting") })
        }
    }

    @Test("cancelling whoever waits cancels the work, and the call returns when that has ended")
    func cancelledCaller() async throws {
        try await withTasks { tasks, _ in
            let begun = Gate()
            let ended = Locked(false)
            let caller = Task {
                try await tasks.run {
                    begun.open()
                    try? await Gate().waitUnlessCancelled()
                    ended.withLock { $0 = true }
                }
            }
            await begun.wait()
            caller.cancel()
            try await caller.value
            #expect(ended.withLock { $0 })
        }
    }

    @Test("work that is asked for by a task that is cancelled already ends as cancelled")
    func cancelledBefore() async throws {
        try await withTasks { tasks, _ in
            let caller = Task {
                try? await Gate().waitUnlessCancelled()
                try await tasks.run { try? await Gate().waitUnlessCancelled() }
            }
            caller.cancel()
            try await caller.value
            #expect(try await tasks.countTasks() == 0)
        }
    }

    @Test("more than there may be is refused")
    func maximum() async throws {
        try await withTasks(maxTasks: 1) { tasks, _ in
            let gate = Gate()
            let first = try await tasks.start { await gate.wait() }
            await #expect { try await tasks.run {} } throws: { error in
                (error as? SupervisorError)?.code == .tooManyChildren
                    && "\(error)" == "supervisor \"tasks\" has as many children as it may have"
            }
            gate.open()
            try await first.value
        }
    }

    @Test("without a running tree nothing is started, and nobody waits")
    func notRunning() async throws {
        let tasks = TaskSupervisor()
        await #expect { try await tasks.run {} } throws: { ($0 as? SupervisorError)?.code == .notRunning }
    }

    @Test("the end of the tree cancels the work and waits for it")
    func end() async throws {
        let tasks = TaskSupervisor()
        let trial = SupervisorTrial(Supervisor { tasks })
        try await trial.started()
        let works = [
            try await tasks.start { try? await Gate().waitUnlessCancelled() },
            try await tasks.start { try? await Gate().waitUnlessCancelled() },
        ]
        #expect(await trial.stop() == nil)
        for work in works { try await work.value }
    }

    @Test("nobody waits for work that has been abandoned")
    func abandoned() async throws {
        let tasks = TaskSupervisor(shutdown: .timeout(.seconds(3)))
        let trial = SupervisorTrial(Supervisor { tasks })
        try await trial.started()
        let gate = Gate()
        let work = try await tasks.start { await gate.wait() }
        trial.supervisor.stop()
        try await trial.story.wait(forBeginOf: .stop(of: "tasks/0"))
        trial.clock.advance(by: .seconds(3))
        await #expect { try await work.value } throws: { ($0 as? SupervisorError)?.code == .childGone }
        #expect(await trial.end()?.abandoned == [["tasks", "0"]])
        gate.open()
    }

    @Test("a map keeps the order of its elements, and no more in work than it may", arguments: [1, 3, 100])
    func orderedMap(maxConcurrent: Int) async throws {
        try await withTasks { tasks, _ in
            let running = Locked((now: 0, most: 0))
            var results: [Int] = []
            for await result in tasks.map(
                0..<50,
                maxConcurrent: maxConcurrent,
                { number in
                    running.withLock { running in
                        running.now += 1
                        running.most = max(running.most, running.now)
                    }
                    for _ in 0..<(number % 3) { await Task.yield() }
                    running.withLock { $0.now -= 1 }
                    return number * 2
                }
            ) {
                results.append(try result.get())
            }
            #expect(results == (0..<50).map { $0 * 2 })
            #expect(running.withLock { $0.most } <= maxConcurrent)
        }
    }

    @Test("a map without an order gives what is ready")
    func unorderedMap() async throws {
        try await withTasks { tasks, _ in
            let gate = Gate()
            var results: [Int] = []
            for await result in tasks.map(
                0..<3,
                maxConcurrent: 3,
                ordered: false,
                { number in
                    if number == 0 { await gate.wait() }
                    return number
                }
            ) {
                results.append(try result.get())
                if results.count == 2 { gate.open() }
            }
            #expect(Set(results.prefix(2)) == [1, 2])
            #expect(results.last == 0)
        }
    }

    @Test("a failure is the result of its element and harms no other")
    func failureInMap() async throws {
        try await withTasks { tasks, _ in
            var outcomes: [String] = []
            for await result in tasks.map(
                1...4,
                maxConcurrent: 2,
                { number in
                    if number == 2 { throw InjectedFailure("two") }
                    return number
                }
            ) {
                switch result {
                case .success(let number): outcomes.append("\(number)")
                case .failure(let error): outcomes.append("\(error)")
                }
            }
            #expect(outcomes == ["1", "two", "3", "4"])
        }
    }

    @Test("leaving the loop cancels what is in work, and begins no more")
    func leavingMap() async throws {
        try await withTasks { tasks, trial in
            let begun = Locked(0)
            for await _ in tasks.map(
                0..<100,
                maxConcurrent: 4,
                { number in
                    begun.withLock { $0 += 1 }
                    if number > 0 { try? await Gate().waitUnlessCancelled() }
                }
            ) {
                break
            }
            try await trial.story.wait(for: .stop(of: "tasks/1"))
            try await trial.story.wait(for: .stop(of: "tasks/2"))
            try await trial.story.wait(for: .stop(of: "tasks/3"))
            #expect(begun.withLock { $0 } == 4)
            let left = try await tasks.countTasks()
            #expect(left == 0)
        }
    }

    @Test("work that is begun in the moment of the cancellation is cancelled with the rest")
    func cancelledWhileBeginning() async throws {
        struct Numbers: Sequence, IteratorProtocol {
            func next() -> Int? {
                withUnsafeCurrentTask { $0?.cancel() }
                return 1
            }
        }
        try await withTasks { tasks, _ in
            let results = await Task {
                var count = 0
                for await _ in tasks.map(
                    Numbers(),
                    maxConcurrent: 1,
                    { _ in try await Gate().waitUnlessCancelled() }
                ) {
                    count += 1
                }
                return count
            }.value
            #expect(results == 1)
        }
    }

    @Test("a map outside of a running tree ends, with the reason in each result")
    func mapNotRunning() async {
        var codes: [SupervisorError.Code?] = []
        for await result in TaskSupervisor().map(0..<3, maxConcurrent: 2, { $0 }) {
            if case .failure(let error) = result { codes.append((error as? SupervisorError)?.code) }
        }
        #expect(codes == [.notRunning, .notRunning, .notRunning])
    }
}

@Suite("Partitions")
struct PartitionSupervisorTests {
    @Test("one key always leads to the same copy, and many keys to all")
    func routing() async throws {
        let rooms = PartitionSupervisor("rooms", partitions: 4) { _ in
            DynamicSupervisor("rooms") { (child, name: String) in
                child.started()
                try? await Gate().waitUnlessCancelled()
            }
        }
        let trial = SupervisorTrial(Supervisor { rooms })
        try await trial.started()
        for number in 0..<100 { try await rooms[key: "room \(number)"].startChild("room \(number)") }
        var counts: [Int] = []
        for partition in rooms.partitions { counts.append(try await partition.countChildren().active) }
        #expect(counts.reduce(0, +) == 100)
        #expect(counts.allSatisfy { $0 > 0 })
        let (lobby, again) = (rooms[key: "lobby"], rooms[key: "lobby"])
        #expect(lobby === again)
        #expect(await trial.stop() == nil)
    }

    @Test("the copies are called by their numbers")
    func ids() async throws {
        let probes = PartitionSupervisor("probes", partitions: 2) { _ in Probe("probe") }
        let trial = SupervisorTrial(Supervisor { probes })
        try await trial.started()
        #expect(
            trial.story.lines.filter { $0.hasSuffix("/0 started") || $0.hasSuffix("/1 started") }
                == ["probes/0 started", "probes/1 started"]
        )
        #expect(await trial.stop() == nil)
    }

    @Test("without partitions nothing is started, and no key traps", arguments: [0, -1])
    func none(partitions: Int) async {
        let probes = PartitionSupervisor("probes", partitions: partitions) { _ in Probe("probe") }
        _ = probes[key: "any"]
        let trial = SupervisorTrial(Supervisor { probes })
        #expect(
            await trial.end()?.details == [
                "child \"probes\" has \(partitions) partitions: there must be 1 or more"
            ]
        )
    }
}

@Suite("A dynamic supervisor's place")
struct DynamicPlaceTests {
    @Test("one that stands in the tree twice is refused before anything is started")
    func twice() async {
        let tasks = TaskSupervisor()
        let error = await SupervisorTrial(
            Supervisor {
                tasks
                tasks.id("again")
            }
        ).end()
        #expect(error?.details == ["child \"again\" stands in the tree twice: make one for each place"])
    }
}
