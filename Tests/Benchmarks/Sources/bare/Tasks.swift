import Measuring

/// Tasks that only wait, each begun when the one before runs; they end one after the other from the last, or all at once.
func many(_ start: Start, _ count: Int, _ meter: Meter, inOrder: Bool) async throws {
    let (started, ended) = (Signal(), Tally())
    var tasks: [Task<Void, any Error>] = []
    for (count, meter) in [(100, Meter { 0 }), (count, meter)] {  // the first to warm
        let before = meter.memory()
        meter.begin()
        for _ in 0..<count {
            tasks.append(waiting(start, started, ended))
            await started.wait()
        }
        meter.end("start", each: count)
        meter.memory(since: before, each: count)
        meter.begin()
        if inOrder {
            try await stop(&tasks)
        } else {
            for task in tasks { task.cancel() }
            for task in tasks { try await task.value }
            tasks.removeAll()
        }
        meter.end("stop", each: count)
    }
    try ended.expect(100 + count, "ended")
}

/// A thousand tasks that are ended and begun again, because the first has failed.
func together(_ start: Start, _ count: Int, _ meter: Meter) async throws {
    let (started, ended, failure, siblings) = (Signal(), Tally(), Signal(), 1_000)
    var tasks: [Task<Void, any Error>] = []

    func begin() async {
        let first = start {
            started.send()
            if await failure.isSent() { throw Chain.Failure() }
        }
        await started.wait()
        tasks.append(first)
        for _ in 1..<siblings {
            tasks.append(waiting(start, started, ended))
            await started.wait()
        }
    }

    await begin()
    meter.begin()
    for _ in 0..<count {
        failure.send()
        guard case .failure = await tasks.removeFirst().result else {
            throw Wrong("the first has not failed")
        }
        try await stop(&tasks)
        await begin()
    }
    meter.end("restart", each: count * siblings)
    try await stop(&tasks)
    try ended.expect((count + 1) * (siblings - 1), "ended")
}

/// Each of a thousand tasks in turn, from its failure until another runs in its place.
func restart(_ start: Start, _ count: Int, _ meter: Meter) async throws {
    let (chain, started, siblings) = (Chain(1_000), Signal(), 1_000)
    var keepers: [Task<Void, any Error>] = []
    for number in 0..<siblings {
        keepers.append(
            start {
                started.send()
                while !Task.isCancelled {
                    let child = start { try await chain.run(number) }
                    await withTaskCancellationHandler {
                        _ = await child.result
                    } onCancel: {
                        child.cancel()
                    }
                }
            }
        )
        await started.wait()
    }
    await chain.fail(decadesTo: count, meter)
    try await stop(&keepers)
}

private func waiting(_ start: Start, _ started: Signal, _ ended: Tally) -> Task<Void, any Error> {
    start {
        started.send()
        await untilCancelled()
        ended.add()
    }
}

private func stop(_ tasks: inout [Task<Void, any Error>]) async throws {
    while let task = tasks.popLast() {
        task.cancel()
        try await task.value
    }
}
