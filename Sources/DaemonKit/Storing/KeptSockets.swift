internal import CSupervision
import SupervisionLock
import Systemd

/// The sockets that listeners bound and the manager keeps for the service's next process.
///
/// As of passed sockets a master of each stays open here, and each start of its listener serves a duplicate.
final class KeptSockets: Sendable {
    private static let prefix = "listener "

    private let store: DescriptorStore
    private let notifier: Notifier
    private let log: DaemonLog
    private let masters = Locked<[String: OwnedDescriptor]>([:])

    init(store: DescriptorStore, notifier: Notifier, log: DaemonLog) {
        self.store = store
        self.notifier = notifier
        self.log = log
    }

    /// The name in the store: not that of the listener, which is a socket unit's to use.
    static func storedName(of listener: String) -> String {
        prefix + listener
    }

    static func isKept(_ descriptor: PassedDescriptor) -> Bool {
        descriptor.name.hasPrefix(prefix)
    }

    /// Has a socket listen no more, for everybody who holds it.
    static func end(_ socket: PassedDescriptor) {
        guard socket.kind == .streamListener else { return }
        csupervision_socket_shutdown(socket.number, 0)
        csupervision_socket_shutdown(socket.number, 1)
    }

    /// Has the manager keep a socket that was just bound.
    ///
    /// - Parameter socket: The socket, under the name of its listener.
    /// - Returns: What to serve: the socket as it is where nobody keeps it, which the log tells.
    /// - Throws: ``SocketError`` with code `systemError` where it cannot be duplicated.
    func keep(_ socket: ListeningSocket) throws -> ListeningSocket {
        let name = socket.name
        do {
            switch try store.put([socket.descriptor], named: Self.storedName(of: name)) {
            case .sent, .queued: break
            case .notSupervised: return socket
            case .dropped: return unkept(socket, "too many messages wait for it")
            case .failed(let error): return unkept(socket, error.message)
            }
        } catch {
            return unkept(socket, error.message)
        }
        if store.limit == nil {
            log.write(
                .notice,
                "listener \(name): the service manager does not say whether it keeps the socket: "
                    + "FileDescriptorStoreMax= of the unit must leave room for it"
            )
        }
        let master = OwnedDescriptor(taking: socket.takeDescriptor())
        socket.leaveFile()
        masters.withLock { $0[name] = master }
        return try serve(master, name)
    }

    /// The socket of a listener, where this process or the one before it had it kept, and it still fits.
    ///
    /// What does not fit is closed, and gone when this returns.
    ///
    /// - Parameters:
    ///   - name: The name of the listener.
    ///   - endpoint: Where it must be bound.
    ///   - keeps: Whether it is to be kept again.
    /// - Returns: What to serve; nil where it has to be bound.
    /// - Throws: ``SocketError`` with code `systemError` where it cannot be duplicated.
    func takeBack(_ name: String, for endpoint: Endpoint, keeps: Bool) async throws -> ListeningSocket? {
        if let master = masters.withLock({ $0[name] }) { return try serve(master, name) }
        let storedName = Self.storedName(of: name)
        var found = store.takeAll(named: storedName)
        guard !found.isEmpty else { return nil }

        let index = found.firstIndex { $0.kind == .streamListener && endpoint.isBound(by: $0.number) }
        let fitting = index.map { OwnedDescriptor(taking: found.remove(at: $0).number) }
        if !found.isEmpty || !keeps { await remove(found, storedName) }
        guard let fitting else { return nil }
        guard keeps else { return try release(fitting, name, endpoint) }
        // Removed with what had the same name.
        if !found.isEmpty { try store.put([fitting.number], named: storedName) }
        masters.withLock { $0[name] = fitting }
        return try serve(fitting, name)
    }

    /// Closes the socket that is kept for a listener, if there is one.
    func discard(_ name: String) async {
        let storedName = Self.storedName(of: name)
        let found = store.takeAll(named: storedName)
        if !found.isEmpty { await remove(found, storedName) }
    }

    /// Closes the sockets of listeners that the tree does not have: another may want to bind where they are.
    func discardOrphans(except isDeclared: (String) -> Bool) async {
        let orphans = Set(
            store.unclaimed.filter(Self.isKept).map { String($0.name.dropFirst(Self.prefix.count)) }
        )
        for name in orphans.sorted() where !isDeclared(name) { await discard(name) }
    }

    // MARK: -

    /// A duplicate to serve.
    private func serve(_ master: OwnedDescriptor, _ name: String) throws -> ListeningSocket {
        let duplicate = csupervision_descriptor_duplicate(master.number)
        guard duplicate >= 0 else {
            throw SocketError(.systemError, "cannot duplicate the socket of \"\(name)\"", errno: -duplicate)
        }
        return try adopt(duplicate, name, origin: .kept, file: nil)
    }

    /// The socket itself, which nobody keeps any more.
    private func release(
        _ socket: OwnedDescriptor,
        _ name: String,
        _ endpoint: Endpoint
    ) throws -> ListeningSocket {
        let duplicate = csupervision_descriptor_duplicate(socket.number)
        guard duplicate >= 0 else {
            throw SocketError(.systemError, "cannot duplicate the socket of \"\(name)\"", errno: -duplicate)
        }
        var file: SocketFile?
        if case .unix(let path) = endpoint, !path.hasPrefix("@") { file = SocketFile(at: path) }
        return try adopt(duplicate, name, origin: .bound, file: file)
    }

    private func adopt(
        _ descriptor: CInt,
        _ name: String,
        origin: ListeningSocket.Origin,
        file: SocketFile?
    ) throws -> ListeningSocket {
        do {
            return try ListeningSocket(adopting: descriptor, name: name, origin: origin, file: file)
        } catch {
            closeDescriptor(descriptor)
            throw error
        }
    }

    /// Ends sockets for everybody, and waits until the manager has none of the name any more.
    private func remove(_ sockets: [PassedDescriptor], _ storedName: String) async {
        for socket in sockets {
            log.write(.notice, "\(socket) was kept, but is not what its listener wants: removed")
            // The manager lets go of its own in its own time, and until then nobody could listen there.
            Self.end(socket)
            closeDescriptor(socket.number)
        }
        // The name was made from a valid one.
        _ = try? store.remove(named: storedName)
        _ = await notifier.barrier(timeout: .seconds(5))
    }

    private func unkept(_ socket: ListeningSocket, _ reason: String) -> ListeningSocket {
        log.write(
            .warning,
            "listener \(socket.name): the service manager does not keep its socket: \(reason)"
        )
        return socket
    }
}
