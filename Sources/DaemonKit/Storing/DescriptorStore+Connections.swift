public import Systemd

extension DescriptorStore {
    /// Has the manager keep an open connection for the service's next process.
    ///
    /// ```swift
    /// // The process that ends:
    /// try store.put(connection, named: "line")
    /// // The next one, at start:
    /// for line in store.takeConnections(named: "line") { try await line.write("I am back") }
    /// ```
    ///
    /// The connection is this process's as well until its handler ends; end that without another byte read, for
    /// it would be missing to the next process. The peer sees no end, as long as the manager keeps the
    /// connection: remove it by its name when it is over. What the peer has closed the manager drops by itself.
    ///
    /// Cancelling a task that reads loses no byte. Do not call `shutdownRead()` or `shutdownWrite()`: what these end
    /// is ended for the next process too.
    ///
    /// - Parameters:
    ///   - connection: The connection.
    ///   - name: The name to find it by, see `DescriptorName`.
    /// - Returns: What became of the message; `.notSupervised` without a manager.
    /// - Throws: ``SocketError`` with code `closed` where it is closed, or its descriptor taken; `SystemdError` as
    ///   `put(_:named:keepsBroken:)` does.
    @discardableResult
    public func put(_ connection: Connection, named name: String) throws -> NotifyOutcome {
        try connection.withDescriptor { try put([$0], named: name) }
    }

    /// Takes back the connections that were stored under a name; to be called once, before the tree has started.
    ///
    /// They stay in the store until they are removed by name, so that they are there for the process after this
    /// one too. Those whose peer has gone meanwhile are closed, and not given.
    ///
    /// - Parameter name: The name that they were stored under.
    /// - Returns: The connections, in no particular order; empty the second time. Closed when they are let go of.
    public func takeConnections(named name: String) -> [Connection] {
        take(named: name, as: .connection).compactMap { descriptor in
            do {
                return try Connection(adopting: descriptor)
            } catch {
                closeDescriptor(descriptor)
                return nil
            }
        }
    }
}
