import Logging
import ServiceLifecycle
import Supervision

/// Services of swift-service-lifecycle as one child of a tree.
///
/// A group can be run only once, so that each start of the child makes another. Its own signal handling stays
/// off: the tree decides when it stops.
struct Services: Child {
    var shutdown = Shutdown.graceful(.seconds(10))
    let services: @Sendable () -> [any Service]

    var childSpec: ChildSpec {
        ChildSpec("services", shutdown: shutdown) { [services] child in
            let group = ServiceGroup(services: services(), logger: Logger(label: "services"))
            child.started()
            try await child.run(stop: { await group.triggerGracefulShutdown() }) {
                try await group.run()
            }
        }
    }
}

/// A tree as one service of a group: the group's graceful shutdown is the tree's orderly stop.
struct SupervisorService: Service {
    let supervisor: Supervisor

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await supervisor.run()
        } onGracefulShutdown: {
            supervisor.stop()
        }
    }
}
