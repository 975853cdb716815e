internal import CSupervision
import SupervisionLock

/// Serves a datagram socket: a thread receives, and each datagram has a task.
struct DatagramLoop {
    let socket: DatagramSocket
    let session: ServingSession
    let maxDatagramSize: Int
    var policy = AcceptPolicy()

    /// Runs until the session drains and the last handler has ended, or the task is cancelled.
    func run(_ handle: @escaping @Sendable (Datagram) async throws -> Void) async throws {
        let receiver = try DatagramThread(
            for: socket,
            in: session,
            maxSize: maxDatagramSize,
            policy: policy
        )
        let orders = receiver.orders
        let registrations = [session.onDrain { orders.give(.drain) }, session.onClose { orders.roomMade() }]
        defer {
            for registration in registrations { registration.cancel() }
            socket.close()
        }
        let failures = Failures()

        try await withTaskCancellationHandler {
            // First, so that what is taken has a listener that drains when it is told to stop. And a drain or a
            // cancellation that is there already is known to the thread before it begins.
            session.started()
            let thread = try receiver.start()
            // When its queue has ended, so has it, or nearly.
            defer { csupervision_thread_join(thread) }

            try await withThrowingDiscardingTaskGroup { tasks in
                while let datagrams = try await receiver.queue.next() {
                    for datagram in datagrams {
                        guard !Task.isCancelled else {
                            datagram.finish()
                            continue
                        }
                        tasks.addTask { await serve(datagram, by: handle, failures) }
                    }
                }
            }
        } onCancel: {
            orders.give(.stop)
        }
    }

    private func serve(
        _ datagram: Datagram,
        by handle: @Sendable (Datagram) async throws -> Void,
        _ failures: Failures
    ) async {
        do {
            try await handle(datagram)
        } catch {
            if !Task.isCancelled, let count = failures.add() {
                session.report(.datagramsFailed(count: count, peer: datagram.peer, error: error))
            }
        }
        datagram.finish()
    }

    /// How many handlers have failed.
    private final class Failures: Sendable {
        private let count = Locked(DoublingCount())

        func add() -> Int? {
            count.withLock { $0.add() }
        }
    }
}
