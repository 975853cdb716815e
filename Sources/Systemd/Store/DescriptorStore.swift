import SupervisionLock

/// Descriptors that the manager keeps for the service's next instance: connections, listeners, state.
///
/// ```swift
/// let environment = ServiceEnvironment.take()
/// let passed = PassedDescriptors(environment.descriptors)
/// let store = DescriptorStore(environment: environment, notifier: notifier, passed: passed)
///
/// for descriptor in store.take(named: "counters", as: .file) { restore(descriptor) }  // what the last instance left
/// store.removeUnclaimed()  // what nobody knows any more
///
/// try store.put(SealedMemory(bytes), named: "counters")  // for the next instance
/// ```
///
/// The unit needs `FileDescriptorStoreMax=`. By default the manager keeps what it has over a restart and drops
/// it when the unit stops (`FileDescriptorStorePreserve=`).
///
/// What comes back stands last among the passed descriptors, in no order, under the names that it was stored
/// with. Names are not unique, and nothing tells a stored descriptor from a socket unit's but the name and the
/// kind: give stored ones names that no socket has.
///
/// Taking a descriptor back does not take it out of the store: it stays there, and open, until it is removed by
/// name. Make one store per process, once, next to its ``PassedDescriptors``.
///
/// - Note: Source: systemd `sd_pid_notify_with_fds`, "File Descriptor Store".
public final class DescriptorStore: Sendable {
    /// How many descriptors the manager keeps at most (`FDSTORE`); `nil` when it has not told.
    ///
    /// Managers before systemd 254 never tell; then nothing is checked here, and what is too much is closed.
    public let limit: Int?

    let notifier: Notifier
    let passed: PassedDescriptors
    let contents = Locked(Contents())

    /// What is known of the store.
    struct Contents {
        /// How many descriptors are stored under each name.
        var counts: [String: Int] = [:]
        /// The newest state under each name, for who asks again.
        var states: [String: SealedMemory] = [:]
        var hasChanged = false
    }

    /// Makes the store of a process.
    ///
    /// - Parameters:
    ///   - environment: Tells the limit.
    ///   - notifier: Speaks to the manager.
    ///   - passed: What the manager passed, with what was stored among it.
    public init(environment: ServiceEnvironment, notifier: Notifier, passed: PassedDescriptors) {
        limit = environment.descriptorStoreLimit
        self.notifier = notifier
        self.passed = passed
    }

    /// Has the manager keep descriptors under a name, besides what it keeps there already.
    ///
    /// They are duplicated: the originals stay the caller's and may be closed at once. To replace what has the
    /// name, ``remove(named:)`` first. The outcome does not say that the manager kept them, only that it was
    /// told; ``Notifier/barrier(timeout:)`` waits until it has acted.
    ///
    /// - Parameters:
    ///   - descriptors: 1 to ``NotifyMessage/mostDescriptors``.
    ///   - name: The name of all of them, see ``DescriptorName``.
    ///   - keepsBroken: Whether the manager keeps a descriptor whose other end has gone (`FDPOLL=0`); false by
    ///     default.
    /// - Returns: What became of the message; `.notSupervised` without a manager.
    /// - Throws: ``SystemdError`` with code `storeFull` when ``limit`` does not leave room for them, and as
    ///   ``NotifyMessage/storeDescriptors(_:named:keepsBroken:)`` does. What this process stored and took back
    ///   counts until it is removed, even if the manager has dropped it since because its other end is gone.
    @discardableResult
    public func put(
        _ descriptors: [CInt],
        named name: String,
        keepsBroken: Bool = false
    ) throws(SystemdError) -> NotifyOutcome {
        let message = try NotifyMessage.storeDescriptors(descriptors, named: name, keepsBroken: keepsBroken)
        return try contents.withLock { contents throws(SystemdError) in
            try checkRoom(for: descriptors.count, named: name, besides: contents.counts.values.reduce(0, +))
            return send(message, of: descriptors.count, named: name, &contents)
        }
    }

    func checkRoom(for count: Int, named name: String, besides present: Int) throws(SystemdError) {
        guard let limit, present + count > limit else { return }
        throw SystemdError(
            .storeFull,
            "\(count) more descriptors under \(name.quotedForMessage) do not fit: \(present) are stored, and "
                + "FileDescriptorStoreMax= of the unit allows \(limit)"
        )
    }

    func send(
        _ message: NotifyMessage,
        of count: Int,
        named name: String,
        _ contents: inout Contents
    ) -> NotifyOutcome {
        let outcome = notifier.send(message)
        if outcome.mayArrive {
            contents.counts[name, default: 0] += count
            contents.hasChanged = true
        }
        return outcome
    }

    /// Whether this process has stored or removed anything: the manager should act on it before the process ends.
    package var hasChanged: Bool {
        contents.withLock(\.hasChanged)
    }

    /// Has the manager keep state under a name, besides what it keeps there already.
    ///
    /// - Parameters:
    ///   - memory: The state. It may be released as soon as this returns.
    ///   - name: Its name, see ``DescriptorName``.
    /// - Returns: What became of the message; `.notSupervised` without a manager.
    /// - Throws: ``SystemdError``, as ``put(_:named:keepsBroken:)`` does.
    @discardableResult
    public func put(_ memory: SealedMemory, named name: String) throws(SystemdError) -> NotifyOutcome {
        try memory.withDescriptor { descriptor throws(SystemdError) in try put([descriptor], named: name) }
    }

    /// Takes back what was stored under a name and is of a kind; call it once at start.
    ///
    /// They belong to the caller from now on, who closes them. Others of the same name, such as a socket unit's
    /// listener, stay where they are.
    ///
    /// - Parameters:
    ///   - name: The name that they were stored under.
    ///   - kind: What they are: ``DescriptorKind/file`` for ``SealedMemory``.
    /// - Returns: Close-on-exec descriptors, in no particular order; empty when there are none, and the second
    ///   time.
    public func take(named name: String, as kind: DescriptorKind) -> [CInt] {
        let taken = passed.take(named: name, as: kind)
        if !taken.isEmpty { contents.withLock { $0.counts[name, default: 0] += taken.count } }
        return taken
    }

    /// Takes back everything of a name that nobody has a duplicate of, whatever it is.
    package func takeAll(named name: String) -> [PassedDescriptor] {
        let taken = passed.takeAll(named: name)
        if !taken.isEmpty { contents.withLock { $0.counts[name, default: 0] += taken.count } }
        return taken
    }

    /// Has the manager close everything that is stored under a name.
    ///
    /// The other end of a connection sees its end only now, and only if this process has none open either.
    ///
    /// - Parameter name: The name; one that nothing is stored under does no harm.
    /// - Returns: What became of the message; `.notSupervised` without a manager.
    /// - Throws: ``SystemdError`` with code `invalidName`, as ``DescriptorName`` does.
    @discardableResult
    public func remove(named name: String) throws(SystemdError) -> NotifyOutcome {
        let message = try NotifyMessage.removeStored(named: name)
        return contents.withLock { contents in
            contents.states[name] = nil
            return sendRemoval(message, of: name, &contents)
        }
    }

    func sendRemoval(
        _ message: NotifyMessage,
        of name: String,
        _ contents: inout Contents
    ) -> NotifyOutcome {
        let outcome = notifier.send(message)
        if outcome.mayArrive {
            contents.counts[name] = nil
            contents.hasChanged = true
        }
        return outcome
    }

    /// What the manager passed and nobody has taken: an older version's state, or a socket that nothing serves.
    public var unclaimed: [PassedDescriptor] {
        passed.unclaimed
    }

    /// Closes what nobody has taken, and has the manager close what it stores under those names.
    ///
    /// Call it once everybody has taken what is theirs. A name that something was taken or stored under is not
    /// removed from the store, nor is one that somebody serves a socket of: removal is by name, and would take
    /// that with it. A socket unit's socket is not in the store, and stays the manager's.
    ///
    /// - Returns: What was closed, for a log line.
    @discardableResult
    public func removeUnclaimed() -> [PassedDescriptor] {
        removeUnclaimed { _ in true }
    }

    /// Closes of what nobody has taken only some, and has the manager close what it stores of all of it.
    ///
    /// - Parameter isClosed: Which to close: not what may be a socket unit's, and served later.
    /// - Returns: What was closed.
    package func removeUnclaimed(closing isClosed: (PassedDescriptor) -> Bool) -> [PassedDescriptor] {
        let unclaimed = passed.unclaimed
        let closed = passed.closeUnclaimed(where: isClosed)
        let served = Set(Set(passed.all).subtracting(unclaimed).map(\.name))
        contents.withLock { contents in
            for name in Set(unclaimed.map(\.name)).subtracting(served).sorted()
            where contents.counts[name] == nil {
                // The manager's own names are valid; whoever else made one up cannot have it stored.
                if let message = try? NotifyMessage.removeStored(named: name) {
                    _ = sendRemoval(message, of: name, &contents)
                }
            }
        }
        return closed
    }
}

extension NotifyOutcome {
    /// Whether the manager gets the message, unless it goes away.
    var mayArrive: Bool {
        self == .sent || self == .queued
    }
}
