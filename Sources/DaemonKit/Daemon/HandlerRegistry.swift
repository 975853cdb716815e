import Supervision
import SupervisionLock

/// What the children of a daemon have given it to call at certain moments, in the order of the tree.
final class HandlerRegistry<Call: Sendable>: Sendable {
    /// What one child has given.
    struct Handler: Sendable {
        let number: Int
        let child: ChildContext
        let position: [Int]
        let call: Call

        var path: ChildPath { child.path }
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
                child: child,
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
        state.withLock { Array($0.handlers.values) }.sorted { $0.precedes($1) }
    }

    /// The first handler there is now of those that come after another; of all, where there is none.
    ///
    /// One of a copy that has taken the place of the other's does not: it knows by itself what is new.
    func next(after last: Handler?) -> Handler? {
        state.withLock { state in
            state.handlers.values.lazy.filter { $0.follows(last) }.min { $0.precedes($1) }
        }
    }
}

extension HandlerRegistry.Handler {
    /// Whether it comes first in the order of the tree.
    fileprivate func precedes(_ other: Self) -> Bool {
        if position == other.position { return number < other.number }
        return position.lexicographicallyPrecedes(other.position)
    }

    fileprivate func follows(_ last: Self?) -> Bool {
        guard let last else { return true }
        if last.position == position, last.child !== child { return false }
        return last.precedes(self)
    }
}
