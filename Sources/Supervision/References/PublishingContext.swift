/// What the body of a publishing child knows, and how it says that it has started and with what.
///
/// It has the properties of a ``ChildContext``, and ``shutdownRequested()``; having started means having something to
/// publish. The other methods are called on ``context``: ``ChildContext/run(stop:_:)``, and in a daemon
/// `child.context.onReload { … }` and `child.context.healthCheck { … }`.
@dynamicMemberLookup
public struct PublishingContext<Value: Sendable>: Sendable {
    /// The child's place in the tree.
    public let context: ChildContext

    let reference: ChildReference<Value>

    /// Reports that the child has started, and publishes a value to those who hold the reference.
    ///
    /// The first call starts the children below. A later one replaces the value; one after the body has ended
    /// does nothing.
    ///
    /// - Parameter value: What others need to use the child; good until the body ends.
    public func started(_ value: Value) {
        reference.publish(value, from: context)
        context.started()
    }

    /// Suspends until the child is told to stop, or cancelled; see ``ChildContext/shutdownRequested()``.
    public nonisolated(nonsending) func shutdownRequested() async {
        await context.shutdownRequested()
    }

    /// What the context knows: its properties, not its methods.
    public subscript<Member>(dynamicMember member: KeyPath<ChildContext, Member>) -> Member {
        context[keyPath: member]
    }
}

extension ChildSpec {
    /// Describes a child that publishes a value when it has started.
    ///
    /// - Parameters:
    ///   - id: Its name, unique among its siblings and not empty.
    ///   - reference: How others reach it. One reference belongs to one child.
    ///   - restart: When it is started again; permanent by default.
    ///   - shutdown: How it is stopped; by default cancelled, with five seconds to end.
    ///   - body: Runs as long as the child lives, and calls ``PublishingContext/started(_:)`` once what must come
    ///     first is done. Cancelled when the child is to stop, or asked first with ``Shutdown/graceful(_:)``.
    public init<Value>(
        _ id: String,
        publishing reference: ChildReference<Value>,
        restart: Restart = .permanent,
        shutdown: Shutdown = .timeout(.seconds(5)),
        body: @escaping @Sendable (_ child: PublishingContext<Value>) async throws -> Void
    ) {
        self.init(id, restart: restart, shutdown: shutdown) { context in
            try await body(PublishingContext(context: context, reference: reference))
        }
        referent = reference
    }
}
