/// What a supervisor needs to know about one child: its name, its body, and the rules it lives by.
///
/// The body is one async function that runs for as long as the child lives; scoped resources therefore work
/// naturally. The simplest child is a closure:
///
/// ```swift
/// ChildSpec("queue") {
///     try await queue.run()
/// }
/// ```
///
/// Such a child counts as started when its body begins to run. A body with something to initialise takes a
/// ``ChildContext`` and says itself when it has started; until then the children below it are not started:
///
/// ```swift
/// ChildSpec("database") { child in
///     try await withDatabase(url) { database in
///         child.started()
///         try await database.run()
///     }
/// }
/// ```
///
/// What a body does until it first suspends is done on the thread that the supervisor has at that moment, one of the
/// pool's or that of whoever asked for the child: this saves a change of threads for each start. A body that computes
/// or blocks there holds the supervisor up for some milliseconds, not for longer: then the supervisor goes on without
/// it, on another thread of the pool.
///
/// A body that throws before it has started fails the start. One that *returns* before it has started has
/// nothing to run: it did its work during the start (a migration, a check), the next child is started, and it
/// is not started again; OTP calls this `ignore`.
///
/// - Note: Source: OTP `supervisor`, "Child specification".
public struct ChildSpec: Child {
    /// The child's name, unique among its siblings.
    ///
    /// It appears in events, errors and paths.
    public var id: String

    /// When the child is started again after it has ended.
    ///
    /// Default: ``Restart/permanent``.
    public var restart: Restart {
        get { rules.restart }
        set { rules.restart = newValue }
    }

    /// How the child is stopped.
    ///
    /// Default: ``Shutdown/timeout(_:)`` of five seconds.
    public var shutdown: Shutdown {
        get { rules.shutdown }
        set { rules.shutdown = newValue }
    }

    /// Whether the child's end can be that of its supervisor; see ``AutoShutdown``.
    public var isSignificant: Bool { rules.isSignificant }

    /// Whether the child is a supervisor itself.
    public var isSupervisor: Bool { nested != nil }

    let body: Body

    typealias Body = @Sendable (ChildContext) async throws -> Void

    /// What few children have, kept aside so that the others are small.
    private var rarities: Rarities?

    /// When it is started again, and how it is stopped.
    var rules: ChildRules

    /// Whether the body begins by being started, rather than by saying so itself.
    let startsAtOnce: Bool

    private final class Rarities: Sendable {
        struct Values {
            var check: (@Sendable (TreeValues) -> [String])?
            var nested: (any NestedSupervisor)?
            var referent: (any Referent)?
        }

        let values: Values

        init(_ values: Values) {
            self.values = values
        }
    }

    /// Looks at the spec before anything in the tree is started, and tells what is wrong with it.
    package var check: (@Sendable (TreeValues) -> [String])? {
        get { rarities?.values.check }
        set { change { $0.check = newValue } }
    }

    /// The supervisor this spec stands for, so that a whole tree can be looked at, also before it starts.
    var nested: (any NestedSupervisor)? { rarities?.values.nested }

    /// What others hold to reach the child.
    var referent: (any Referent)? {
        get { rarities?.values.referent }
        set { if newValue != nil || rarities != nil { change { $0.referent = newValue } } }
    }

    /// Whether nothing can be wrong with it that can be seen without its siblings.
    var isPlain: Bool { rarities == nil && rules.isPlain }

    private mutating func change(_ change: (inout Rarities.Values) -> Void) {
        var values = rarities?.values ?? Rarities.Values()
        change(&values)
        rarities = Rarities(values)
    }

    /// Describes a child that counts as started when its body begins to run.
    ///
    /// - Parameters:
    ///   - id: Its name, unique among its siblings and not empty.
    ///   - restart: When it is started again; permanent by default.
    ///   - shutdown: How it is stopped; by default cancelled, with five seconds to end.
    ///   - body: Runs as long as the child lives. Cancelled when the child is to stop.
    public init(
        _ id: String,
        restart: Restart = .permanent,
        shutdown: Shutdown = .timeout(.seconds(5)),
        body: @escaping @Sendable () async throws -> Void
    ) {
        self.init(
            id: id,
            rules: ChildRules(restart: restart, shutdown: shutdown),
            startsAtOnce: true,
            body: { _ in try await body() }
        )
    }

    /// Describes a child that says itself when it has started.
    ///
    /// - Parameters:
    ///   - id: Its name, unique among its siblings and not empty.
    ///   - restart: When it is started again; permanent by default.
    ///   - shutdown: How it is stopped; by default cancelled, with five seconds to end.
    ///   - body: Runs as long as the child lives, and calls ``ChildContext/started()`` once what must come first
    ///     is done. Cancelled when the child is to stop, or asked first with ``Shutdown/graceful(_:)``.
    public init(
        _ id: String,
        restart: Restart = .permanent,
        shutdown: Shutdown = .timeout(.seconds(5)),
        body: @escaping @Sendable (_ child: ChildContext) async throws -> Void
    ) {
        self.init(
            id: id,
            rules: ChildRules(restart: restart, shutdown: shutdown),
            startsAtOnce: false,
            body: body
        )
    }

    init(
        id: String,
        rules: ChildRules,
        startsAtOnce: Bool,
        nested: (any NestedSupervisor)? = nil,
        body: @escaping @Sendable (ChildContext) async throws -> Void
    ) {
        self.id = id
        self.rules = rules
        self.startsAtOnce = startsAtOnce
        self.body = body
        if let nested { change { $0.nested = nested } }
    }

    /// The spec itself.
    public var childSpec: ChildSpec { self }
}
