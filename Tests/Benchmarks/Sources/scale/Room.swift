import Supervision
import Synchronization

/// Somebody who can be asked, as small as possible: what is measured is the supervisor.
final class Room: Sendable {
    private struct State {
        var question: CheckedContinuation<Int, Never>?
        var reader: CheckedContinuation<Void, Never>?
    }

    let number: Int
    private let state = Mutex(State())

    init(number: Int) { self.number = number }

    func ask() async -> Int {
        await withCheckedContinuation { question in
            let reader = state.withLock { state in
                state.question = question
                defer { state.reader = nil }
                return state.reader
            }
            reader?.resume()
        }
    }

    func answer(until child: ChildContext) async {
        while !child.isShutdownRequested { await answerOnce(until: child) }
    }

    func answerOnce(until child: ChildContext) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { reader in
                let isReady = state.withLock { state in
                    guard state.question == nil, !Task.isCancelled else { return true }
                    state.reader = reader
                    return false
                }
                if isReady { reader.resume() }
            }
        } onCancel: {
            state.withLock { $0.reader.take() }?.resume()
        }
        state.withLock { $0.question.take() }?.resume(returning: number)
    }
}

/// Something that happens again and again, and is waited for each time.
final class Signal: Sendable {
    private let stream = AsyncStream.makeStream(of: Void.self)

    func send() { stream.continuation.yield() }

    func wait() async {
        for await _ in stream.stream { return }
    }
}
