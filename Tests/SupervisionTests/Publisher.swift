import Supervision
import SupervisionLock

/// A child that publishes what a test says, and ends as the test says.
final class Publisher: Child {
    enum Command {
        case publish(Int)
        case fail(any Error)
        case finish
    }

    private struct State {
        var commands: [Command] = []
        var reader: CheckedContinuation<Command?, Never>?
        var copies: [PublishingContext<Int>] = []
    }

    let reference = ChildReference<Int>()
    private let id: String
    private let restart: Restart
    private let state = Locked(State())

    init(_ id: String = "publisher", restart: Restart = .permanent) {
        self.id = id
        self.restart = restart
    }

    var childSpec: ChildSpec {
        ChildSpec(id, publishing: reference, restart: restart) { [self] child in
            state.withLock { $0.copies.append(child) }
            while let command = await next() {
                switch command {
                case .publish(let value): child.started(value)
                case .fail(let error): throw error
                case .finish: return
                }
            }
            throw CancellationError()
        }
    }

    /// What each copy was given, the first one first.
    var copies: [PublishingContext<Int>] { state.withLock(\.copies) }

    func publish(_ value: Int) { tell(.publish(value)) }

    func fail(_ error: any Error = Failure()) { tell(.fail(error)) }

    func finish() { tell(.finish) }

    private func tell(_ command: Command) {
        let reader = state.withLock { state in
            if state.reader == nil { state.commands.append(command) }
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: command)
    }

    /// The next command; nil once the copy is cancelled.
    private func next() async -> Command? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let command = state.withLock { state -> Command?? in
                    if Task.isCancelled { return .some(nil) }
                    if !state.commands.isEmpty { return state.commands.removeFirst() }
                    state.reader = continuation
                    return nil
                }
                if let command { continuation.resume(returning: command) }
            }
        } onCancel: {
            let reader = state.withLock { state in
                defer { state.reader = nil }
                return state.reader
            }
            reader?.resume(returning: nil)
        }
    }
}
