import SupervisionLock

extension DescriptorStore {
    /// Has the manager keep bytes under a name, in place of what it keeps there: state for the next instance.
    ///
    /// ```swift
    /// // At start:
    /// let count = try store.kept("count")?.first ?? 0
    /// // When it stops, or whenever the count has changed:
    /// try store.keep([count + 1], as: "count")
    /// ```
    ///
    /// The bytes go into ``SealedMemory``. What had the name goes first, whatever it is: give state names of its
    /// own. A process that is killed in the moment between leaves neither.
    ///
    /// Also without a manager ``kept(_:limit:)`` gives the bytes for as long as this process lives.
    ///
    /// - Parameters:
    ///   - bytes: The state; may be empty.
    ///   - name: Its name, see ``DescriptorName``.
    /// - Returns: What became of the messages; `.notSupervised` without a manager. As of ``put(_:named:keepsBroken:)``
    ///   it does not say that the manager kept anything: one whose unit lacks `FileDescriptorStoreMax=` does not.
    /// - Throws: ``SystemdError`` with code `invalidName`; `storeFull` when ``limit`` leaves no room; `memoryFailed`
    ///   and `duplicationFailed` when the system refuses. Then all is as it was.
    @discardableResult
    public func keep(_ bytes: [UInt8], as name: String) throws(SystemdError) -> NotifyOutcome {
        let removal = try NotifyMessage.removeStored(named: name)
        // /proc shows less of a name than the manager does.
        let memory = try SealedMemory(bytes, name: String(name.prefix(249)))
        let storing = try memory.withDescriptor { descriptor throws(SystemdError) in
            try NotifyMessage.storeDescriptors([descriptor], named: name)
        }
        return try contents.withLock { contents throws(SystemdError) in
            let others = contents.counts.values.reduce(0, +) - (contents.counts[name] ?? 0)
            try checkRoom(for: 1, named: name, besides: others)
            // What the last instance left has never been asked for, and is not to be found any more.
            for descriptor in passed.take(named: name, as: .file) { closeDescriptor(descriptor) }
            contents.states[name] = memory
            let outcome = sendRemoval(removal, of: name, &contents)
            guard outcome.mayArrive else { return outcome }
            return send(storing, of: 1, named: name, &contents)
        }
    }

    /// The bytes that were kept under a name, by this process or by the one before it.
    ///
    /// May be asked again and again, so that a child which is restarted within the tree finds its state too.
    /// Ask before ``removeUnclaimed()`` is called.
    ///
    /// - Parameters:
    ///   - name: The name.
    ///   - limit: The most bytes to read; 64 MiB by default.
    /// - Returns: What ``keep(_:as:)`` was last given under that name; `nil` when there is nothing.
    /// - Throws: ``SystemdError`` with code `notSealed`, `memoryTooLarge` and `memoryFailed`, as
    ///   ``SealedMemory/read(_:limit:)`` does. It stays in the store, and is not found a second time: catch the
    ///   error where the service can begin anew.
    public func kept(_ name: String, limit: Int = 64 << 20) throws(SystemdError) -> [UInt8]? {
        try contents.withLock { contents throws(SystemdError) in
            if let memory = contents.states[name] {
                return try memory.withDescriptor { descriptor throws(SystemdError) in
                    try SealedMemory.read(descriptor, limit: limit)
                }
            }
            let taken = passed.take(named: name, as: .file)
            guard let first = taken.first else { return nil }
            contents.counts[name, default: 0] += taken.count
            // One is all that keep() leaves.
            for other in taken.dropFirst() { closeDescriptor(other) }
            do throws(SystemdError) {
                let bytes = try SealedMemory.read(first, limit: limit)
                contents.states[name] = SealedMemory(adopting: first, count: bytes.count)
                return bytes
            } catch {
                closeDescriptor(first)
                throw error
            }
        }
    }
}
