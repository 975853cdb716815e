/// The rules a child lives by: when it is started again, and how it is stopped.
struct ChildRules: Sendable {
    var restart: Restart
    var shutdown: Shutdown
    var isSignificant = false
    /// What few children have, kept aside so that the others are small.
    private var retry: Retry?

    private final class Retry: Sendable {
        let backoff: Backoff?
        let limit: RestartIntensity?
        let onFailure: (@Sendable (any Error) -> FailureResponse)?

        init(
            _ backoff: Backoff?,
            _ limit: RestartIntensity?,
            _ onFailure: (@Sendable (any Error) -> FailureResponse)?
        ) {
            self.backoff = backoff
            self.limit = limit
            self.onFailure = onFailure
        }
    }

    init(restart: Restart, shutdown: Shutdown) {
        self.restart = restart
        self.shutdown = shutdown
    }

    /// How long to wait before a restart; nil for not at all.
    var backoff: Backoff? {
        get { retry?.backoff }
        set { retry = Retry(newValue, limit, onFailure) }
    }

    /// How many restarts this child is allowed.
    var limit: RestartIntensity? {
        get { retry?.limit }
        set { retry = Retry(backoff, newValue, onFailure) }
    }

    /// What is to follow from an error.
    var onFailure: (@Sendable (any Error) -> FailureResponse)? {
        get { retry?.onFailure }
        set { retry = Retry(backoff, limit, newValue) }
    }

    /// Whether the child's restarts are counted apart from those of its siblings.
    var hasOwnAccount: Bool { backoff != nil || limit != nil }
}

extension ChildRules: Equatable {
    /// Whether both are the same, as far as that can be told: functions are the same when they are one.
    static func == (left: ChildRules, right: ChildRules) -> Bool {
        left.restart == right.restart && left.shutdown == right.shutdown
            && left.isSignificant == right.isSignificant && left.retry === right.retry
    }
}
