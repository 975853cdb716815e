// The life of a copy of a child, from its first step to the news of its end.

extension ChildContext {
    /// Begins the body, in a task that inherits what is local to the calling task, and on the calling thread until it
    /// suspends for the first time.
    ///
    /// - Parameter early: By what the task is known until this returns it.
    /// - Returns: The task.
    @inline(__always)
    func begin(known early: EarlyTask) -> Task<Void, Never> {
        // Inlined, so that the standard library's function can be too, which the optimizer does in a loop: then it is
        // seen that the task prefers no executor. Otherwise the task has a record of that, which is looked up at each
        // await of the child: 8 % of a start, 14 % of a restart (`Tests/Benchmarks/run --counts` looks whether it is so).
        //
        // Written out twice: a closure that is passed on costs each child a frame.
        guard #available(macOS 26, iOS 26, tvOS 26, watchOS 26, visionOS 26, *) else {
            return Task { await self.live(in: nil) }
        }
        return Task.immediate {
            await self.live(in: early.begin())
        }
    }

    /// What the task holds, and what its frames have room for, each child has for as long as it lives: no more than
    /// this, so that the frames of a child that only waits fit into what a task has at its beginning.
    @inline(__always)
    private func live(in task: TaskIdentity?) async {
        guard let body = takeBody(runBy: task) else { return }
        do {
            if startsAtOnce { started() }
            try await body.run(self)
            end(.returned)
        } catch {
            end(.threw(error))
        }
    }

    @inline(never)
    private func end(_ exit: ChildExit) {
        referent?.end(self)
        if end() {
            place.inbox.leave(.ended(ref, exit))
        } else {
            place.inbox.send(.ended(ref, exit))
        }
    }

    /// Has the copy cancelled when it has taken too long to start, and given up when it does not heed that.
    ///
    /// - Parameters:
    ///   - limit: The time it has to start.
    ///   - rest: The time it then has to end; nil for as long as it likes.
    func limitStart(to limit: Duration, _ rest: Duration?) {
        let deadline = place.timekeeper.now + limit
        let timer = Task { [self] in
            let timekeeper = place.timekeeper
            guard (try? await timekeeper.sleep(until: deadline)) != nil, giveUpStart() else { return }
            // What it may yet publish is not to be used.
            referent?.end(self)
            place.inbox.send(.late(ref))
            guard let rest, (try? await timekeeper.sleep(until: timekeeper.now + rest)) != nil else { return }
            place.inbox.send(.overdue(ref, startOverdue(limit, isRunning: true)))
        }
        limitStart(timer)
    }

    /// What is made known of a start that took too long.
    func startOverdue(_ limit: Duration, _ error: (any Error)? = nil, isRunning: Bool = false)
        -> SupervisorError
    {
        SupervisorError(
            .childFailedToStart,
            path: path,
            underlying: error is CancellationError ? nil : error,
            abandoned: isRunning ? [path] : (error as? SupervisorError)?.childrenLeft ?? [],
            details: ["had not started after \(limit)"]
        )
    }
}

extension Exit {
    init(_ exit: ChildExit) {
        guard case .threw(let error) = exit else {
            self = .returned
            return
        }
        // By its type, which is no class: casts cost more than the decision.
        let type = type(of: error)
        if type == CancellationError.self {
            self = .cancelled
        } else if type == SupervisorError.self, (error as? SupervisorError)?.childrenLeft.isEmpty == false {
            self = .leftRunning
        } else {
            self = .threw
        }
    }
}
