import SupervisionLock

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The descriptors that the service manager passed, kept for the life of the process.
///
/// ```swift
/// let sockets = PassedDescriptors(ServiceEnvironment.take().descriptors)
/// let http = try sockets.duplicates(named: "http", as: .streamListener)
/// ```
///
/// Each passed descriptor stays open here as a master. Whoever serves one gets a duplicate, closes it when it
/// is done, and asks again when it restarts. Closing a duplicate is harmless: the manager goes on listening,
/// and new connections wait.
///
/// The duplicates share one open socket with the manager, and with the next instance of the service:
///
/// - Never call `shutdown(2)` on one. It ends the manager's listener too, and clients are then refused.
/// - Never call `listen(2)` on one, or give it a high backlog: it changes the backlog for everybody.
/// - `O_NONBLOCK` is on the shared socket; close-on-exec is on each number.
/// - Do not unlink the path of a Unix listener: it is the manager's.
///
/// Make one per process. Releasing it closes nothing; ``closeUnclaimed()`` does.
public final class PassedDescriptors: Sendable {
    private struct Master {
        let descriptor: PassedDescriptor
        var isClaimed = false
    }

    private let masters: Locked<[Master]>

    /// Keeps descriptors, in their order.
    ///
    /// - Parameter descriptors: The list from ``ServiceEnvironment/descriptors``; each belongs to this object
    ///   from now on.
    public init(_ descriptors: [PassedDescriptor]) {
        masters = Locked(descriptors.map { Master(descriptor: $0) })
    }

    /// Every descriptor kept, in the manager's order.
    ///
    /// Those that were taken out or closed as unclaimed are gone.
    public var all: [PassedDescriptor] {
        masters.withLock { $0.map(\.descriptor) }
    }

    /// Those of which nobody has taken a duplicate yet.
    ///
    /// After start, report them or ``closeUnclaimed()``.
    public var unclaimed: [PassedDescriptor] {
        masters.withLock { $0.filter { !$0.isClaimed }.map(\.descriptor) }
    }

    /// The stream listener, when exactly one was passed, whatever its name.
    ///
    /// For a service with a single listener: it serves the socket that it gets, named or not.
    public var soleStreamListener: PassedDescriptor? {
        let listeners = all.filter { $0.kind == .streamListener }
        return listeners.count == 1 ? listeners[0] : nil
    }

    /// Duplicates every descriptor of a name, and marks them claimed.
    ///
    /// May be asked again and again: a listener that restarts gets new duplicates of the same socket.
    ///
    /// - Parameters:
    ///   - name: The name to look up; several descriptors may have it.
    ///   - kind: What each of them must be. The family does not matter.
    /// - Returns: Close-on-exec duplicates in the manager's order; empty when none has the name. The caller
    ///   closes them.
    /// - Throws: ``SystemdError`` with code `wrongKind` when one of them is something else, and
    ///   `duplicationFailed` when the system refuses, with the `errno` (`EMFILE`). Then there are no
    ///   duplicates and nothing is claimed.
    public func duplicates(named name: String, as kind: DescriptorKind) throws(SystemdError) -> [CInt] {
        try duplicates(as: kind) { $0.name == name }
    }

    /// Duplicates the descriptors of a name that are of a kind, and marks them claimed.
    ///
    /// For a name that sockets share with something stored; otherwise ``duplicates(named:as:)`` tells of a
    /// wrong unit file.
    ///
    /// - Parameters:
    ///   - name: The name to look up; several descriptors may have it.
    ///   - kind: Which of them; the others stay unclaimed.
    /// - Returns: Close-on-exec duplicates in the manager's order; empty when there are none. The caller closes
    ///   them.
    /// - Throws: ``SystemdError`` with code `duplicationFailed` when the system refuses, as
    ///   ``duplicates(named:as:)`` does.
    public func duplicates(named name: String, only kind: DescriptorKind) throws(SystemdError) -> [CInt] {
        try duplicates(as: kind) { $0.name == name && $0.kind == kind }
    }

    /// Duplicates one descriptor, and marks it claimed.
    ///
    /// - Parameters:
    ///   - descriptor: One of ``all``.
    ///   - kind: What it must be.
    /// - Returns: A close-on-exec duplicate. The caller closes it.
    /// - Throws: ``SystemdError`` with code `unknownDescriptor` when it is not one of ``all``, and as
    ///   ``duplicates(named:as:)`` does.
    public func duplicate(
        of descriptor: PassedDescriptor,
        as kind: DescriptorKind
    ) throws(SystemdError) -> CInt {
        guard let duplicate = try duplicates(as: kind, where: { $0.number == descriptor.number }).first else {
            throw SystemdError(
                .unknownDescriptor,
                "\(descriptor) is not among the passed descriptors, was taken out, or was closed as unclaimed"
            )
        }
        return duplicate
    }

    /// Takes descriptors of a name and a kind out: they belong to the caller from now on.
    ///
    /// For what is used once and then closed: a stored connection, stored state. No master stays open here, so
    /// the other end of a connection sees the caller's close. A listener that restarts needs
    /// ``duplicates(named:as:)``.
    ///
    /// - Parameters:
    ///   - name: The name to look up; several descriptors may have it.
    ///   - kind: Which of them; the others stay. Those of which a duplicate was taken stay too.
    /// - Returns: Close-on-exec descriptors in the manager's order; empty when there are none, and the second
    ///   time. The caller closes them.
    public func take(named name: String, as kind: DescriptorKind) -> [CInt] {
        take { $0.name == name && $0.kind == kind }.map(\.number)
    }

    /// Takes everything of a name out, whatever it is; what a duplicate was taken of stays.
    func takeAll(named name: String) -> [PassedDescriptor] {
        take { $0.name == name }
    }

    private func take(where isWanted: (PassedDescriptor) -> Bool) -> [PassedDescriptor] {
        masters.withLock { masters in
            let taken = masters.filter { !$0.isClaimed && isWanted($0.descriptor) }.map(\.descriptor)
            masters.removeAll { !$0.isClaimed && isWanted($0.descriptor) }
            return taken
        }
    }

    /// Closes every descriptor that nobody has claimed, and forgets them.
    ///
    /// - Returns: What was closed, for a log line.
    @discardableResult
    public func closeUnclaimed() -> [PassedDescriptor] {
        closeUnclaimed { _ in true }
    }

    /// Closes all that is kept, claimed or not: what the end of a process does.
    package func closeAll() {
        let descriptors = masters.withLock { masters in
            defer { masters = [] }
            return masters.map(\.descriptor)
        }
        for descriptor in descriptors { closeDescriptor(descriptor.number) }
    }

    func closeUnclaimed(where isClosed: (PassedDescriptor) -> Bool) -> [PassedDescriptor] {
        let closed = take(where: isClosed)
        for descriptor in closed { closeDescriptor(descriptor.number) }
        return closed
    }

    private func duplicates(
        as kind: DescriptorKind,
        where isWanted: (PassedDescriptor) -> Bool
    ) throws(SystemdError) -> [CInt] {
        try masters.withLock { masters throws(SystemdError) in
            let wanted = masters.indices.filter { isWanted(masters[$0].descriptor) }
            for index in wanted where masters[index].descriptor.kind != kind {
                throw SystemdError(
                    .wrongKind,
                    "\(masters[index].descriptor) should be a \(kind); change the socket unit's Listen…= or the name"
                )
            }
            let duplicates = try Self.duplicateAll(wanted.map { masters[$0].descriptor })
            for index in wanted { masters[index].isClaimed = true }
            return duplicates
        }
    }

    private static func duplicateAll(_ descriptors: [PassedDescriptor]) throws(SystemdError) -> [CInt] {
        var duplicates: [CInt] = []
        for descriptor in descriptors {
            // Not below 3: a closed standard stream's number must not become a socket.
            let duplicate = fcntl(descriptor.number, F_DUPFD_CLOEXEC, 3)
            guard duplicate >= 0 else {
                let failure = SystemdError.system(
                    .duplicationFailed,
                    "cannot duplicate \(descriptor)",
                    errno: errno
                )
                for made in duplicates { closeDescriptor(made) }
                throw failure
            }
            duplicates.append(duplicate)
        }
        return duplicates
    }
}
