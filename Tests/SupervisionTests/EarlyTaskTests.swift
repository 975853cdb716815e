import Testing

@testable import Supervision

@Suite("Early task")
struct EarlyTaskTests {
    private let early = EarlyTask()

    @Test("who cancels it before it has begun cancels it when it begins")
    func before() async {
        early.cancel()
        let isCancelled = await Task { [early] in
            _ = early.begin()
            return Task.isCancelled
        }.value
        #expect(isCancelled)
    }

    @Test("who cancels it at its first steps cancels it at once")
    func during() async {
        let isCancelled = await Task { [early] in
            _ = early.begin()
            let wasCancelled = Task.isCancelled
            early.cancel()
            return [wasCancelled, Task.isCancelled]
        }.value
        #expect(isCancelled == [false, true])
    }

    @Test("what its cancellation calls has this task at its disposal")
    func handler() async {
        await Task { [early] in
            _ = early.begin()
            await withTaskCancellationHandler {
                early.cancel()
            } onCancel: {
                early.cancel()
            }
        }.value
    }

    @Test("who cancels it afterwards cancels the task, and nobody the one before", arguments: [false, true])
    func after(isAnother: Bool) async {
        let (isRunning, end) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            for await _ in isRunning {}
        }
        early.end(task)
        if isAnother { early.clear() }
        early.cancel()
        #expect(task.isCancelled == !isAnother)
        end.finish()
        await task.value
    }
}
