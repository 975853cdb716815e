import CSupervision
import Synchronization
public import Systemd

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A service manager that only listens: a real notification socket for tests.
///
/// ```swift
/// let manager = try FakeServiceManager()
/// let notifier = Notifier(address: manager.address)
/// notifier.send(.ready)
/// #expect(try await manager.next().lines == ["READY=1"])
/// ```
///
/// A thread of its own reads the socket, unless it is paused; nothing polls or sleeps. It lets barriers pass in
/// their turn, and keeps descriptors when it is given room for some: unlike a real manager it drops none by
/// itself, and keeps the same one twice. Releasing the manager closes it and what it keeps.
public final class FakeServiceManager: Sendable {
    /// Where it listens: what `NOTIFY_SOCKET` says.
    public let address: NotifyAddress

    let inbox: NotificationInbox
    private let thread: WakeableThread
    private let directory: String?
    private let isClosed = Atomic(false)

    /// How many descriptors it keeps for the service: `FileDescriptorStoreMax=` of the unit.
    public let descriptorStoreLimit: Int

    /// How long the service may be without a sign of life: `WatchdogSec=` of the unit.
    ///
    /// Nobody is killed for it.
    public let watchdog: Duration?

    /// Listens behind a path in a new temporary directory, which closing removes.
    ///
    /// - Parameters:
    ///   - descriptorStoreLimit: How many descriptors it keeps; none by default, as of a unit without
    ///     `FileDescriptorStoreMax=`.
    ///   - watchdog: How long the service may be without a sign of life; for ever by default, as of a unit without
    ///     `WatchdogSec=`.
    /// - Throws: `SystemdError` when the directory or the socket cannot be made.
    public convenience init(descriptorStoreLimit: Int = 0, watchdog: Duration? = nil) throws {
        let directory = try Self.makeTemporaryDirectory()
        do {
            try self.init(NotifyAddress("\(directory)/notify"), in: directory, descriptorStoreLimit, watchdog)
        } catch {
            rmdir(directory)
            throw error
        }
    }

    /// Listens at a given address.
    ///
    /// - Parameter address: A path that does not exist yet, or an abstract name. Closing removes the path.
    /// - Throws: `SystemdError` when the socket cannot be bound.
    public convenience init(at address: NotifyAddress) throws {
        try self.init(address, in: nil, 0, nil)
    }

    private init(
        _ address: NotifyAddress,
        in directory: String?,
        _ descriptorStoreLimit: Int,
        _ watchdog: Duration?
    ) throws(SystemdError) {
        let path = address.socketPath
        let descriptor = csupervision_notify_bind(path, path.count)
        guard descriptor >= 0 else {
            throw SystemdError(.sendFailed, "cannot listen at \(address)", errno: -descriptor)
        }
        let inbox = NotificationInbox(
            descriptor: descriptor,
            descriptorStoreLimit: max(0, descriptorStoreLimit)
        )
        do {
            thread = try WakeableThread(name: "fake-manager", run: inbox.read)
        } catch {
            closeDescriptor(descriptor)
            throw error
        }
        self.address = address
        self.descriptorStoreLimit = max(0, descriptorStoreLimit)
        self.watchdog = watchdog
        self.directory = directory
        self.inbox = inbox
    }

    deinit {
        close()
    }

    /// The variables that a service of this manager starts with.
    public var variables: [String: String] {
        var variables = ["NOTIFY_SOCKET": address.description]
        if descriptorStoreLimit > 0 { variables["FDSTORE"] = "\(descriptorStoreLimit)" }
        if let watchdog {
            // Without WATCHDOG_PID it is meant for whoever is started with it.
            variables["WATCHDOG_USEC"] = "\(watchdog.wholeMicroseconds)"
        }
        return variables
    }

    /// What a service of this manager finds in its environment.
    public var environment: ServiceEnvironment {
        ServiceEnvironment(variables: variables)
    }

    /// Every message so far, those that ``next()`` has given included.
    ///
    /// What had been sent before this is asked is there, unless the manager is paused.
    public var received: [ReceivedNotification] {
        inbox.received
    }

    /// The descriptors that it keeps for the service, in the order of arrival.
    ///
    /// They are its own: look at them, do not close them. What had been sent before this is asked has been acted upon,
    /// unless the manager is paused.
    public var storedDescriptors: [PassedDescriptor] {
        inbox.stored
    }

    /// What the service's next start gets of the stored descriptors: duplicates, which the caller owns.
    ///
    /// - Returns: One for each, for `PassedDescriptors`.
    /// - Throws: `SystemdError` with code `duplicationFailed` when there is no room for them.
    public func handOverStored() throws(SystemdError) -> [PassedDescriptor] {
        try inbox.duplicateStored()
    }

    /// The next message in the order of arrival; waits until there is one.
    ///
    /// - Returns: The message.
    /// - Throws: `CancellationError` when the task is cancelled while it waits, and `SystemdError`
    ///   with code `closed` when the manager is closed and has no more.
    public func next() async throws -> ReceivedNotification {
        try await inbox.next()
    }

    /// The next message that has a given line; those before it are passed over.
    ///
    /// - Parameter line: A whole line, such as `READY=1`.
    /// - Returns: The message.
    /// - Throws: As ``next()`` does.
    public func next(with line: String) async throws -> ReceivedNotification {
        while true {
            let message = try await next()
            if message.lines.contains(line) { return message }
        }
    }

    /// Stops reading, as a manager does that is stuck: from the return of this call on no message is taken.
    public func pause() {
        inbox.setPaused(true)
    }

    /// Reads again, first what has waited meanwhile.
    public func resume() {
        inbox.setPaused(false)
        thread.wake()
    }

    /// Stops listening and removes the socket.
    ///
    /// Whoever waits for a message gets an error. Closing twice does nothing.
    public func close() {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        inbox.close()
        thread.wake()
        thread.join()
        inbox.closeSocket()
        if address.description.hasPrefix("/") { unlink(address.description) }
        if let directory { rmdir(directory) }
    }

    private static func makeTemporaryDirectory() throws(SystemdError) -> String {
        // Not TMPDIR: a socket's path has room for 107 bytes. mkdtemp makes a new directory that nobody else may enter,
        // so that the name cannot be guessed or taken before.
        var template = Array("/tmp/service-manager-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw SystemdError(.sendFailed, "cannot make a directory in /tmp", errno: errno)
        }
        return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
