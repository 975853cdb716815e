// What a run tells others of its decisions: as events while it goes on, as an error in the end.

extension SupervisorRun {
    mutating func report(_ decision: Decision) {
        switch decision {
        case .childEnded(let ref, let exit):
            guard nodes.read(ref.slot, { $0.spec.isSignificant }) == true else { break }
            guard let spec = nodes[ref.slot]?.spec, !spec.restart.appliesAfter(exit) else { break }
            significantEnd = (ref.slot, spec.id)
        case .started:
            since = now
            place.onAllStarted()
        case .starting, .stopped:
            since = now
        case .stopping(let reason):
            since = now
            if place.isTop { place.tree.beginStopping() }
            // Now, while it is known what became of the child.
            ending = ending(for: reason)
        default:
            break
        }
        emit(decision)
    }

    func emit(_ decision: Decision) {
        guard place.eventHub.hasReaders else { return }
        let event = SupervisorEvent(
            time: now,
            supervisor: place.path,
            kind: kind(of: decision),
            limit: limit(of: decision)
        )
        place.eventHub.emit(event)
    }

    private func limit(of decision: Decision) -> Duration? {
        switch decision {
        case .childStarting(let ref):
            guard let rules = nodes[ref.slot]?.spec.rules, let limit = rules.startTimeout else { return nil }
            return limit + (rules.shutdown.limit ?? .zero)
        case .childStopping(let ref):
            guard let shutdown = nodes[ref.slot]?.spec.rules.shutdown, let limit = shutdown.limit else {
                return nil
            }
            return limit + (shutdown.asks ? Shutdown.cancellationGrace : .zero)
        default:
            return nil
        }
    }

    private func kind(of decision: Decision) -> SupervisorEvent.Kind {
        switch decision {
        case .starting: .starting
        case .started: .started
        case .childStarting(let ref): .childStarting(child: id(ref))
        case .childStarted(let ref): .childStarted(child: id(ref))
        case .childIgnored(let ref): .childIgnored(child: id(ref))
        case .childEnded(let ref, let exit): .childEnded(child: id(ref), exit: self.exit(ref, exit))
        case .childRestarting(let ref, let delay):
            .childRestarting(child: id(ref), restarts: ref.generation, after: delay)
        case .childGivenUp(let ref, _): .childGivenUp(child: id(ref), error: lastError(ref.slot))
        case .childDropped(let ref): .childDropped(child: id(ref))
        case .childDeleted(let slot): .childDeleted(child: id(slot))
        case .stopping(let reason): .stopping(stopReason(reason))
        case .childStopping(let ref): .childStopping(child: id(ref))
        case .childOverdue(let ref, let time): .childOverdue(child: id(ref), after: time)
        case .childStopped(let ref, let exit): .childStopped(child: id(ref), exit: self.exit(ref, exit))
        case .childAbandoned(let ref, let time): .childAbandoned(child: id(ref), after: time)
        case .stopped: .stopped
        }
    }

    private func stopReason(_ reason: StopReason) -> SupervisorEvent.StopReason {
        switch reason {
        case .requested: .requested
        case .startFailed(let ref): .startFailed(child: id(ref), error: lastError(ref.slot))
        case .gaveUp(let ref, let cause):
            .gaveUp(
                child: id(ref),
                intensity: cause == .intensity ? place.intensity : nil,
                error: lastError(ref.slot)
            )
        case .leftRunning(let ref): .leftRunning(child: id(ref), error: remains(ref))
        case .autoShutdown(let ref): .autoShutdown(child: id(ref))
        }
    }

    /// What a stop for this reason is to throw in the end, if anything.
    private func ending(for reason: StopReason) -> SupervisorEnding? {
        switch reason {
        case .requested, .autoShutdown:
            nil
        case .startFailed(let ref):
            SupervisorEnding(.childFailedToStart, at: path(ref), error: lastError(ref.slot))
        case .gaveUp(let ref, .intensity):
            SupervisorEnding(
                .gaveUp,
                at: path(ref),
                error: lastError(ref.slot),
                details: ["more than \(place.intensity)"]
            )
        case .gaveUp(let ref, _):
            SupervisorEnding(.gaveUp, at: path(ref), error: lastError(ref.slot))
        case .leftRunning(let ref):
            SupervisorEnding(
                remains(ref)?.code ?? .childrenAbandoned,
                at: path(ref),
                error: remains(ref)
            )
        }
    }

    /// What a child threw that ended with something still running below it; nil when it runs itself.
    ///
    /// Then what it threw last is what an earlier copy did.
    private func remains(_ ref: ChildRef) -> SupervisorError? {
        (lastError(ref.slot) as? SupervisorError).flatMap { $0.childrenLeft.isEmpty ? nil : $0 }
    }

    /// What the run throws at its end, unless it ended as it was asked to.
    mutating func failure() -> SupervisorError? {
        // Mutating, so that the run is not copied as a whole to be looked at.
        guard let outcome else { return nil }
        let abandoned = abandoned(outcome.abandoned)
        if let ending { return ending.error(abandoned: abandoned) }
        guard !abandoned.isEmpty else { return nil }
        return SupervisorError(.childrenAbandoned, path: place.path, abandoned: abandoned)
    }

    func abandoned(_ refs: [ChildRef]) -> [ChildPath] {
        refs.flatMap { ref in
            remains(ref)?.abandoned ?? [path(ref)]
        }
    }

    func id(_ slot: Int) -> String {
        if let id = nodes[slot]?.spec.id { return id }
        if let significantEnd, significantEnd.slot == slot { return significantEnd.id }
        return "\(slot)"
    }

    private func id(_ ref: ChildRef) -> String {
        id(ref.slot)
    }

    private func path(_ ref: ChildRef) -> ChildPath {
        place.path.appending(id(ref))
    }

    private func exit(_ ref: ChildRef, _ exit: Exit) -> ChildExit {
        guard exit != .returned else { return .returned }
        return lastError(ref.slot).map(ChildExit.threw) ?? .returned
    }
}
