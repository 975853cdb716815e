public import Supervision
import SupervisionLock
public import Systemd

/// Has something done each time memory, processor time or I/O is short: caches trimmed, work put off.
///
/// Position: below what its closure needs. What stands below it need not wait for anything: it has started when
/// the source is being watched.
///
/// ```swift
/// PressureWatcher(on: .memory) { _ in await caches.trim() }
/// ```
///
/// The closure is called for one event at a time; those that come meanwhile become one, the newest. An error that it
/// throws fails the child, and what comes before it has started again is not told. When the child is stopped the
/// closure is cancelled, and no other event is told.
///
/// The source is what the manager names (`MEMORY_PRESSURE_WATCH` since systemd 254, `CPU_…` and `IO_…` since 261), else
/// the pressure file of the service's own control group, else that of the system. Pressure is advice: where there
/// is no source, where it cannot be watched, and when it ends, the log says so once, and the child does nothing.
///
/// - Note: Source: systemd, "Memory Pressure Handling"; `sd_event_add_memory_pressure(3)`.
public struct PressureWatcher: Child {
    private let resource: PressureResource
    private let id: String
    private let limit: Duration
    private let handler: @Sendable (PressureEvent) async throws -> Void

    /// Makes a watcher.
    ///
    /// - Parameters:
    ///   - resource: What may be short.
    ///   - id: Its name among its siblings; made from the resource by default.
    ///   - shutdown: How long the closure may take to return once it is cancelled, on the supervisor's clock; five
    ///     seconds by default.
    ///   - handler: What to do at an event.
    public init(
        on resource: PressureResource,
        id: String? = nil,
        shutdown: Duration = .seconds(5),
        handler: @escaping @Sendable (_ event: PressureEvent) async throws -> Void
    ) {
        self.resource = resource
        self.id = id ?? "pressure(\(resource))"
        self.limit = shutdown
        self.handler = handler
    }

    /// The watcher as a child: permanent, and cancelled to stop.
    public var childSpec: ChildSpec {
        let silence = Silence()
        return ChildSpec(id, shutdown: .timeout(limit)) { child in
            let reason = try await watch(child)
            guard !child.isShutdownRequested, !Task.isCancelled else { return }
            if silence.begin() { child.daemon.log.write(.notice, "\(id): watching nothing: \(reason)") }
            child.started()
            await child.shutdownRequested()
        }
    }

    /// Watches to the end.
    ///
    /// - Returns: Why there is nothing to watch any more.
    private func watch(_ child: ChildContext) async throws -> String {
        guard let source = child.daemon.environment.pressureSource(for: resource) else {
            return "nobody tells when \(resource) is short"
        }
        let events: PressureEvents
        do {
            events = try source.events()
        } catch {
            return error.message
        }
        child.started()
        for await event in events { try await handler(event) }
        return "\(source.path) has ended"
    }

    /// Begins once, over all starts of the child.
    private final class Silence: Sendable {
        private let hasBegun = Locked(false)

        func begin() -> Bool {
            hasBegun.withLock { hasBegun in
                defer { hasBegun = true }
                return !hasBegun
            }
        }
    }
}
