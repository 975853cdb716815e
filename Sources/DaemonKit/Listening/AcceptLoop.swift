internal import CSupervision

/// Serves a listening socket: a thread accepts, and each connection has a task.
struct AcceptLoop {
    let socket: ListeningSocket
    let session: ServingSession
    var policy = AcceptPolicy()
    var accept: AcceptThread.Accept = AcceptThread.system
    var executor: @Sendable () -> (any TaskExecutor)? = { nil }

    /// Runs until the session drains and the last handler has ended, or the task is cancelled.
    func run(_ handle: @escaping @Sendable (Connection) async throws -> Void) async throws {
        let acceptor = try AcceptThread(for: socket, in: session, policy: policy, accept: accept)
        let orders = acceptor.orders
        let registrations = [session.onDrain { orders.give(.drain) }, session.onClose { orders.roomMade() }]
        defer {
            for registration in registrations { registration.cancel() }
            socket.close()
        }

        try await withTaskCancellationHandler {
            // First, so that who is accepted has a listener that drains when it is told to stop. And a drain or a
            // cancellation that is there already is known to the thread before it begins: it accepts nobody then.
            session.started()
            let thread = try acceptor.start()
            // When its queue has ended, so has it, or nearly.
            defer { csupervision_thread_join(thread) }

            try await withThrowingDiscardingTaskGroup { tasks in
                // What the thread accepts it gives to tasks itself: nobody else has to be woken for that.
                try await withTaskExecutorPreference(acceptor.executor) {
                    while let connections = try await acceptor.queue.next() {
                        for connection in connections {
                            guard !Task.isCancelled else {
                                await connection.finish()
                                continue
                            }
                            // One of its own, or it would inherit the thread.
                            tasks.addTask(executorPreference: executor() ?? globalConcurrentExecutor) {
                                await connection.serve(in: session, by: handle)
                            }
                        }
                    }
                }
            }
        } onCancel: {
            orders.give(.stop)
        }
    }
}

extension Connection {
    /// Has the connection answered, and closes it.
    ///
    /// A handler that throws is reported; cancellation closes the connection at once.
    func serve(
        in session: ServingSession,
        by handle: @Sendable (Connection) async throws -> Void
    ) async {
        await withTaskCancellationHandler {
            do {
                try await handle(self)
            } catch {
                guard !Task.isCancelled else { return }
                session.report(.connectionFailed(peer: peer, error: error))
            }
        } onCancel: {
            abort()
        }
        await finish()
    }
}
