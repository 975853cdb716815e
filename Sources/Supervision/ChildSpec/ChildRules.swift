/// The rules a child lives by: when it is started again, and how it is stopped.
///
/// Each child has three copies of them, which is why the widest stand first: so they leave no gaps.
struct ChildRules: Sendable {
    /// What few children have, kept aside so that the others are small.
    private var rarities: Rarities?
    var shutdown: Shutdown
    var restart: Restart
    var isSignificant = false

    private final class Rarities: Sendable {
        struct Values {
            var backoff: Backoff?
            var limit: RestartIntensity?
            var onFailure: (@Sendable (any Error) -> FailureResponse)?
            var startTimeout: Duration?
        }

        let values: Values

        init(_ values: Values) {
            self.values = values
        }
    }

    init(restart: Restart, shutdown: Shutdown) {
        self.restart = restart
        self.shutdown = shutdown
    }

    /// How long to wait before a restart; nil for not at all.
    var backoff: Backoff? {
        get { rarities?.values.backoff }
        set { change { $0.backoff = newValue } }
    }

    /// How many restarts this child is allowed.
    var limit: RestartIntensity? {
        get { rarities?.values.limit }
        set { change { $0.limit = newValue } }
    }

    /// What is to follow from an error.
    var onFailure: (@Sendable (any Error) -> FailureResponse)? {
        get { rarities?.values.onFailure }
        set { change { $0.onFailure = newValue } }
    }

    /// How long it may take to start; nil for as long as it likes.
    var startTimeout: Duration? {
        get { rarities?.values.startTimeout }
        set { change { $0.startTimeout = newValue } }
    }

    /// Whether nothing can be wrong with them.
    var isPlain: Bool { rarities == nil && !isSignificant && shutdown.limit ?? .zero >= .zero }

    /// Whether the child's restarts are counted apart from those of its siblings.
    var hasOwnAccount: Bool { backoff != nil || limit != nil }

    private mutating func change(_ change: (inout Rarities.Values) -> Void) {
        var values = rarities?.values ?? Rarities.Values()
        change(&values)
        rarities = Rarities(values)
    }
}

extension ChildRules: Equatable {
    /// Whether both are the same, as far as that can be told: functions are the same when they are one.
    static func == (left: ChildRules, right: ChildRules) -> Bool {
        left.restart == right.restart && left.shutdown == right.shutdown
            && left.isSignificant == right.isSignificant && left.rarities === right.rarities
    }
}
