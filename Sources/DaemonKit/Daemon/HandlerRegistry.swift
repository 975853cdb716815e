import Supervision
import SupervisionLock

/// What the children of a daemon have given it to call at certain moments, in the order of the tree.
final class HandlerRegistry<Call: Sendable>: Sendable {
    /// What one child has given.
    struct Handler: Sendable {
        let number: Int
        let path: ChildPath
        let position: [Int]
        let call: Call
    }

    private struct State {
        var handlers: [Int: Handler] = [:]
        var next = 0
    }

    private let state = Locked(State())

    /// Keeps a handler for as long as this copy of the child lives.
    func add(_ call: Call, of child: ChildContext) {
        let number = state.withLock { state in
            let number = state.next
            state.next += 1
            state.handlers[number] = Handler(
                number: number,
                path: child.path,
                position: child.position,
                call: call
            )
            return number
        }
        child.onEnd { [weak self] in
            self?.state.withLock { _ = $0.handlers.removeValue(forKey: number) }
        }
    }

    /// The handlers there are now, in the order in which their children stand in the tree.
    var inTreeOrder: [Handler] {
        state.withLock { Array($0.handlers.values) }.sorted { first, second in
            if first.position == second.position { return first.number < second.number }
            return first.position.lexicographicallyPrecedes(second.position)
        }
    }
}
