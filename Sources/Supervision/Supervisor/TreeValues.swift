import SupervisionLock
import Synchronization

/// What the children of one running tree share without knowing each other: one value of a type.
///
/// Made anew for each run of the supervisor at the top, and the same in all of that tree.
package final class TreeValues: Sendable {
    /// What runs the bodies of the children; nil for themselves alone.
    let staging: (any Staging)?

    /// Whether the tree stops for good: what a child is told is no restart then.
    package var isStopping: Bool { stopping.load(ordering: .acquiring) }

    private let stopping = Atomic(false)
    private let values = Locked<[ObjectIdentifier: any Sendable]>([:])

    /// Makes the values of one run, with none in them.
    ///
    /// - Parameter staging: What runs the bodies of the children: a test's.
    package init(staging: (any Staging)? = nil) {
        self.staging = staging
    }

    /// Notes that the supervisor at the top stops.
    func beginStopping() {
        stopping.store(true, ordering: .releasing)
    }

    /// Sets the value of a type, before the tree runs.
    package func set<Value: Sendable>(_ value: Value) {
        values.withLock { $0[ObjectIdentifier(Value.self)] = value }
    }

    /// The value of a type; made by the first who asks.
    package func value<Value: Sendable>(_ type: Value.Type, orMake make: () -> Value) -> Value {
        values.withLock { values in
            if let value = values[ObjectIdentifier(type)] as? Value { return value }
            let value = make()
            values[ObjectIdentifier(type)] = value
            return value
        }
    }
}
