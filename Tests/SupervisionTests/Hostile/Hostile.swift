import Supervision
import SupervisionTesting

/// Children that heed nothing, and the clock that gives each of them exactly its time.
final class Hostile: Sendable {
    /// Opened at the end of a test: until then nobody who is stubborn ends.
    let release = Gate()
    let clock = TestClock()

    /// A child that neither a request nor its cancellation ends.
    func stubborn(
        _ id: String,
        shutdown: Shutdown,
        restart: Restart = .permanent,
        publishing reference: ChildReference<Int> = ChildReference()
    ) -> ChildSpec {
        ChildSpec(id, publishing: reference, restart: restart, shutdown: shutdown) { [release] child in
            child.started(0)
            await release.wait()
        }
    }

    /// Moves the clock as soon as one who is stubborn is told to stop, by as much as it has.
    ///
    /// So its time is over in the moment it begins, and no test waits for the supervisor's sleep. For supervisors that
    /// stop one child after the other.
    ///
    /// - Parameters:
    ///   - supervisor: The supervisor.
    ///   - isGraceful: Whether they are asked before they are cancelled.
    ///   - isStubborn: Whether a child is one of them.
    func passTime(
        in supervisor: Supervisor,
        isGraceful: Bool = false,
        for isStubborn: @escaping @Sendable (ChildPath) -> Bool
    ) {
        let grace = isGraceful ? Shutdown.cancellationGrace : .zero
        supervisor.readEvents { [clock] event in
            guard let child = event.child, isStubborn(child) else { return }
            switch event.kind {
            case .childStopping: clock.advance(by: (event.limit ?? grace) - grace)
            case .childOverdue: clock.advance(by: grace)
            default: break
            }
        }
    }
}

extension Story {
    /// When the supervisor at the top ended, since the start of the tree.
    var end: Duration? {
        events.last { if case .stopped = $0.kind { $0.supervisor.ids.isEmpty } else { false } }?.time
    }

    /// The children that were abandoned, in that order, and how long after they were told.
    var abandoned: [(child: ChildPath, after: Duration)] {
        events.compactMap { event in
            guard case .childAbandoned(_, let time) = event.kind, let child = event.child else { return nil }
            return (child, time)
        }
    }
}
