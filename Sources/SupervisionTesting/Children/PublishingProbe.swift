public import Supervision
import SupervisionLock

/// A ``Probe`` that publishes: it stands for a child which others reach by a reference.
///
/// ```swift
/// let pool = ChildReference<DatabasePool>()
/// let database = PublishingProbe("database", publishing: pool, start: .publishing(DatabasePool()))
/// let trial = SupervisorTrial(
///     Supervisor {
///         database
///         ChildSpec("web") { try await answer(connection, from: pool.value) }
///     }
/// )
/// try await trial.started()
/// database.fail()
/// await database.wait(for: .started, count: 2)
/// ```
///
/// One that publishes when it is told holds its readers at the place that matters.
public final class PublishingProbe<Value: Sendable>: Child {
    /// How a probe starts.
    public enum Start: Sendable {
        /// Publishes this at once, which reports that it has started.
        case publishing(Value)
        /// Publishes what the test says with ``PublishingProbe/publish(_:)``.
        case whenTold
        /// Throws this error instead of starting.
        case failing(any Error)
    }

    private struct State {
        var atOnce: Value?
        var told: [Value] = []
        var copies: [PublishingContext<Value>] = []
    }

    /// How others reach it.
    public let reference: ChildReference<Value>

    private let probe: Probe
    private let state = Locked(State())

    /// Makes a probe.
    ///
    /// - Parameters:
    ///   - id: Its name among its siblings.
    ///   - reference: How others reach it; a new one by default, which is then the probe's ``reference``.
    ///   - restart: When it is started again; permanent by default.
    ///   - shutdown: How it is stopped; by default cancelled, with five seconds to end.
    ///   - start: How it starts; when told, by default: the children below wait for ``publish(_:)``. The next start can
    ///     be changed with ``nextStart(_:)``.
    ///   - ignoresStop: Whether it goes on although it is asked and cancelled, until ``finish()`` or
    ///     ``fail(_:)``; false by default.
    public init(
        _ id: String,
        publishing reference: ChildReference<Value> = ChildReference(),
        restart: Restart = .permanent,
        shutdown: Shutdown = .timeout(.seconds(5)),
        start: Start = .whenTold,
        ignoresStop: Bool = false
    ) {
        self.reference = reference
        probe = Probe(id, restart: restart, shutdown: shutdown, start: .whenTold, ignoresStop: ignoresStop)
        nextStart(start)
    }

    /// The probe as a child.
    public var childSpec: ChildSpec {
        ChildSpec(
            probe.id,
            publishing: reference,
            restart: probe.restart,
            shutdown: probe.shutdown
        ) { [self] child in
            state.withLock { $0.copies.append(child) }
            try await probe.run(child.context) { [self] isTold in
                let value = state.withLock { isTold ? $0.told.removeFirst() : $0.atOnce }
                if let value { child.started(value) }
            }
        }
    }

    /// Sets how the probe starts from now on.
    public func nextStart(_ start: Start) {
        switch start {
        case .publishing(let value):
            state.withLock { $0.atOnce = value }
            probe.nextStart(.atOnce)
        case .whenTold:
            probe.nextStart(.whenTold)
        case .failing(let error):
            probe.nextStart(.failing(error))
        }
    }

    /// Publishes a value: the first one of a copy reports that it has started, a later one replaces it.
    ///
    /// Where no copy runs the next one publishes it.
    public func publish(_ value: Value) {
        state.withLock { $0.told.append(value) }
        probe.start()
    }

    /// Lets the body return.
    public func finish() {
        probe.finish()
    }

    /// Lets the body throw.
    public func fail(_ error: any Error = InjectedFailure()) {
        probe.fail(error)
    }

    /// What each copy was given, the first one first: that of an earlier copy publishes too late.
    public var copies: [PublishingContext<Value>] { state.withLock(\.copies) }

    /// Everything that has happened so far, all copies together.
    public var facts: [Probe.Fact] { probe.facts }

    /// Waits until something has happened, as often as that, since the probe was made.
    ///
    /// Returns early when the task is cancelled, as a time limit does it.
    public func wait(for fact: Probe.Fact, count: Int = 1) async {
        await probe.wait(for: fact, count: count)
    }
}
