import SupervisionLock

/// The results of some work on each element of a sequence.
///
/// Made by ``TaskSupervisor/map(_:maxConcurrent:ordered:_:)``. Each iteration does the work anew.
public struct SupervisedMap<Items: Sequence, Output: Sendable>: AsyncSequence
where Items.Element: Sendable {
    let items: Items
    let maxConcurrent: Int
    let isOrdered: Bool
    let core: DynamicCore
    let transform: @Sendable (Items.Element) async throws -> Output

    /// Begins an iteration.
    ///
    /// No work is done before the first result is asked for.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(self)
    }

    /// Takes the results one by one, and keeps as much work going as there may be.
    ///
    /// Letting go of it cancels the work that has been begun.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private let map: SupervisedMap
        private var items: Items.Iterator
        private var begun = Queue<SupervisedTask<Output>>()
        private var begunCount = 0
        private let inFlight = InFlight<Output>()
        private let ready: AsyncStream<Result<Output, any Error>>
        private let readyContinuation: AsyncStream<Result<Output, any Error>>.Continuation
        private var readyIterator: AsyncStream<Result<Output, any Error>>.Iterator

        init(_ map: SupervisedMap) {
            self.map = map
            items = map.items.makeIterator()
            (ready, readyContinuation) = AsyncStream.makeStream()
            readyIterator = ready.makeAsyncIterator()
        }

        /// The next result; nil when there is none any more.
        ///
        /// Cancelling the calling task cancels the work that has been begun, and begins no more.
        public mutating func next() async -> Result<Output, any Error>? {
            await withTaskCancellationHandler {
                await begin()
                return await take()
            } onCancel: { [inFlight] in
                inFlight.cancelAll()
            }
        }

        /// Begins work on as many elements as there may be at a time.
        private mutating func begin() async {
            while begunCount < map.maxConcurrent, !Task.isCancelled, let item = items.next() {
                let id = inFlight.nextID()
                let task = SupervisedTask<Output>(map.core) {
                    [weak inFlight, readyContinuation, isOrdered = map.isOrdered] result in
                    inFlight?.remove(id)
                    if !isOrdered { readyContinuation.yield(result) }
                }
                inFlight.insert(task, id)
                // A cancellation since the loop was entered has not found it.
                if Task.isCancelled { task.cancel() }
                do {
                    try await task.start { [transform = map.transform] in try await transform(item) }
                } catch {
                    task.fail(error)
                }
                if map.isOrdered { begun.push(task) }
                begunCount += 1
            }
        }

        private mutating func take() async -> Result<Output, any Error>? {
            guard begunCount > 0 else { return nil }
            begunCount -= 1
            if map.isOrdered { return await begun.pop()?.result }
            return await readyIterator.next(isolation: nil)
        }
    }
}

/// The work of one iteration that has not ended; cancelled when the iteration is let go of.
private final class InFlight<Output: Sendable>: Sendable {
    private let state = Locked<(tasks: [Int: SupervisedTask<Output>], next: Int)>(([:], 0))

    func nextID() -> Int {
        state.withLock { state in
            state.next += 1
            return state.next
        }
    }

    func insert(_ task: SupervisedTask<Output>, _ id: Int) {
        state.withLock { $0.tasks[id] = task }
    }

    func remove(_ id: Int) {
        state.withLock { $0.tasks[id] = nil }
    }

    func cancelAll() {
        for task in state.withLock({ Array($0.tasks.values) }) { task.cancel() }
    }

    deinit {
        for task in state.withLock({ Array($0.tasks.values) }) { task.cancel() }
    }
}
