internal import CSupervision

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// The thread that accepts on one socket: it waits in poll(2), where no task could without blocking the pool.
final class AcceptThread: Sendable {
    /// What the system call gives: a descriptor and whose it is, or its errno.
    enum Outcome: Sendable {
        case accepted(CInt, peer: SocketAddress)
        case failed(CInt)
    }

    typealias Accept = @Sendable (_ listener: CInt) -> Outcome

    /// How many connections are handed over at once, at most.
    private static let batch = 16

    /// With so many open, those who come are gathered: for so many microseconds at most they wait in the backlog,
    /// and are accepted together.
    ///
    /// Woken for each, the thread takes the processor from what answers the others, or asks for the next.
    private static let gathering = (from: 16, microseconds: UInt32(400))

    /// Where what was accepted comes out.
    ///
    /// It ends when the thread has closed the socket.
    let queue = AcceptQueue<Connection>()

    /// Runs whoever reads the queue on this thread.
    let executor: ThreadExecutor

    let orders: ThreadOrders

    private let descriptor: CInt
    private let socket: ListeningSocket
    private let session: ServingSession
    private let policy: AcceptPolicy
    private let accept: Accept

    /// Takes the socket's descriptor over.
    ///
    /// - Throws: ``SocketError`` with code `closed` or `systemError`; the socket is closed then.
    init(
        for socket: ListeningSocket,
        in session: ServingSession,
        policy: AcceptPolicy,
        accept: @escaping Accept
    ) throws {
        self.socket = socket
        self.session = session
        self.policy = policy
        self.accept = accept
        self.descriptor = socket.takeDescriptor()
        guard descriptor >= 0 else {
            let message =
                "cannot serve \"\(socket.name)\" (\(socket.localAddress)): closed before, or its descriptor taken"
            throw SocketError(.closed, message)
        }
        do {
            orders = try ThreadOrders()
            executor = ThreadExecutor(wakingBy: orders.wake)
        } catch {
            socket.close()
            closeDescriptor(descriptor)
            throw error
        }
    }

    /// Starts the thread.
    ///
    /// - Returns: The thread, to be joined once, after the end of the queue.
    func start() throws -> csupervision_thread {
        var thread = csupervision_thread()
        let context = Unmanaged.passRetained(self)
        let failure = csupervision_thread_start(
            &thread,
            "accept \(socket.name)",
            { context in
                guard let context else { return }
                Unmanaged<AcceptThread>.fromOpaque(context).takeRetainedValue().run()
            },
            context.toOpaque()
        )
        guard failure == 0 else {
            context.release()
            socket.close()
            closeDescriptor(descriptor)
            throw SocketError(
                .systemError,
                "cannot start the thread that accepts for \"\(socket.name)\"",
                errno: -failure
            )
        }
        return thread
    }

    // MARK: On the thread

    private func run() {
        let end = acceptUntilEnd()
        socket.removeFile()
        // A number that is not ours any more (EBADF) may be another's in a moment.
        if case .failure(let error as SocketError) = end, error.errorNumber == EBADF {
        } else {
            closeDescriptor(descriptor)
        }
        queue.finish(end)
        executor.finish()
    }

    private func acceptUntilEnd() -> Result<Void, any Error> {
        var policy = self.policy
        // Since it last waited.
        var accepted = 0
        while true {
            let isDraining: Bool
            switch orders.current {
            case .serve:
                isDraining = false
            case .stop:
                return .success(())
            case .drain:
                isDraining = true
                if socket.origin != .bound { return .success(()) }
                socket.removeFile()
                if !orders.wake.isReadable(descriptor) { return .success(()) }
            }

            guard reserve() else {
                executor.runJobs(beforeWaiting: { orders.wake.wait() })
                continue
            }
            switch accept(descriptor) {
            case .accepted(let connected, let peer):
                policy.accepted()
                session.useReservations()
                queue.put(Connection(adopting: connected, peer: peer, in: session, kind: socket.kind))
                accepted += 1
                if accepted.isMultiple(of: Self.batch) { executor.runJobs() }
            case .failed(let error):
                session.dropReservations()
                switch policy.failed(error) {
                case .goOn: break
                case .wait:
                    if isDraining { return .success(()) }
                    executor.runJobs(beforeWaiting: {
                        if accepted > 0, session.connectionCount >= Self.gathering.from {
                            // The thread is the listener's own, none of the pool's. Nothing is lost by it: who comes
                            // meanwhile is in the backlog, and an order to stop is read when it is over.
                            usleep(Self.gathering.microseconds)
                        }
                        orders.wake.wait(orUntilReadable: descriptor)
                    })
                    accepted = 0
                case .pause(let length, let isNews): pause(for: length, error: error, isNews: isNews)
                case .giveUp: return .failure(unusable(error))
                }
            }
        }
    }

    /// Holds a place for the next connection; where there is none, the next one that closes wakes the thread.
    private func reserve() -> Bool {
        if session.reserve() { return true }
        orders.wantRoom()
        // One may have closed before it could know.
        return session.reserve()
    }

    private func pause(for length: Duration, error: CInt, isNews: Bool) {
        orders.wantRoom()
        if isNews {
            session.report(.acceptPaused(socket: socket.localAddress, errorNumber: error, pause: length))
        }
        executor.runJobs(beforeWaiting: { orders.wake.wait(atMost: length) })
    }

    private func unusable(_ error: CInt) -> SocketError {
        SocketError(
            .acceptFailed,
            "cannot accept on \"\(socket.name)\" (\(socket.localAddress))",
            errno: error
        )
    }
}

extension AcceptThread {
    /// accept4(2), with what every connection needs set on it.
    static let system: Accept = { listener in
        var peer = csupervision_address()
        let result = csupervision_socket_accept(listener, &peer)
        return result >= 0 ? .accepted(result, peer: SocketAddress(peer)) : .failed(-result)
    }
}
