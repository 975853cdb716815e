/// Where a service hears that memory, processor time or I/O are short.
///
/// ```swift
/// if let source = environment.pressureSource(for: .memory) {
///     for await _ in try source.events() { caches.trim() }
/// }
/// ```
///
/// The manager names a pressure file of the kernel, which tells by itself when a threshold is passed, or a FIFO
/// or a stream socket that says so with any bytes.
///
/// - Note: Source: systemd `sd_event_add_memory_pressure`, "Memory Pressure Handling"; `MEMORY_PRESSURE_WATCH`,
///   `MEMORY_PRESSURE_WRITE` and the same for `CPU` and `IO`.
public struct PressureSource: Sendable, Hashable {
    /// What is short when there is an event.
    public let resource: PressureResource

    /// The file, FIFO or socket to watch.
    public let path: String

    /// What is written right after opening: for a pressure file the threshold.
    ///
    /// A FIFO has nobody to read it, and gets nothing.
    public let registration: [UInt8]

    /// The threshold when nobody names another: short for 200 ms in all within 2 s.
    ///
    /// The shortest window that the kernel allows an unprivileged process. The NUL at its end belongs to it: the
    /// kernel overwrites the last byte.
    public static let defaultRegistration = Array("some 200000 2000000\0".utf8)

    /// Names a source.
    ///
    /// - Parameters:
    ///   - resource: What is short when there is an event.
    ///   - path: An absolute path of at most 4095 bytes.
    ///   - registration: What to write right after opening; ``defaultRegistration`` by default.
    /// - Throws: ``SystemdError`` with code `invalidAddress` when the path is not one.
    public init(
        _ resource: PressureResource,
        path: String,
        registration: [UInt8] = defaultRegistration
    ) throws(SystemdError) {
        guard path.utf8.first == UInt8(ascii: "/"), path.utf8.count <= 4095, !path.utf8.contains(0) else {
            throw SystemdError(
                .invalidAddress,
                "\(path.quotedForMessage) is not an absolute path of at most 4095 bytes without a NUL"
            )
        }
        self.resource = resource
        self.path = path
        self.registration = registration
    }

    /// Opens the source and begins to watch it, on a thread of its own.
    ///
    /// - Returns: The events from now on.
    /// - Throws: ``SystemdError`` with code `pressureFailed` when the source cannot be opened or refuses the
    ///   registration, with the `errno`, and `wrongKind` when it is neither a regular file nor a FIFO nor a
    ///   socket. Then nothing is left open.
    public func events() throws(SystemdError) -> PressureEvents {
        PressureEvents(try PressureChannel(self))
    }
}
