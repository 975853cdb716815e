internal import CSupervision

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// The thread that receives on one socket: it waits in poll(2), where no task could without blocking the pool.
///
/// It takes nothing for which there is no handler: what is over that stays in the kernel's buffer, and what is over
/// that the kernel drops.
final class DatagramThread: Sendable {
    /// How many are received by one call, where they are small.
    private static let mostAtOnce = 32
    /// How much memory the thread has to receive into, unless one datagram may be longer.
    private static let roomAtOnce = 1 << 20

    /// Where what was received comes out; ends when the thread does.
    let queue = AcceptQueue<Datagram>()

    let orders: ThreadOrders

    private let socket: DatagramSocket
    private let session: ServingSession
    private let policy: AcceptPolicy
    private let maxSize: Int
    private let batch: Int

    /// Prepares a thread; it does not close the socket, on which replies are sent after its end.
    ///
    /// - Throws: ``SocketError`` with code `systemError`.
    init(for socket: DatagramSocket, in session: ServingSession, maxSize: Int, policy: AcceptPolicy) throws {
        self.socket = socket
        self.session = session
        self.policy = policy
        self.maxSize = maxSize
        batch = max(1, min(Self.mostAtOnce, Self.roomAtOnce / maxSize))
        orders = try ThreadOrders()
    }

    /// Starts the thread.
    ///
    /// - Returns: The thread, to be joined once, after the end of the queue.
    func start() throws -> csupervision_thread {
        var thread = csupervision_thread()
        let context = Unmanaged.passRetained(self)
        let failure = csupervision_thread_start(
            &thread,
            "receive \(socket.name)",
            { context in
                guard let context else { return }
                let thread = Unmanaged<DatagramThread>.fromOpaque(context).takeRetainedValue()
                thread.queue.finish(thread.receiveUntilEnd())
            },
            context.toOpaque()
        )
        guard failure == 0 else {
            context.release()
            let message = "cannot start the thread that receives for \"\(socket.name)\""
            throw SocketError(.systemError, message, errno: -failure)
        }
        return thread
    }

    // MARK: On the thread

    private func receiveUntilEnd() -> Result<Void, any Error> {
        let descriptor = socket.descriptor
        guard descriptor >= 0 else {
            let message = "cannot receive on \"\(socket.name)\" (\(socket.localAddress)): closed before"
            return .failure(SocketError(.closed, message))
        }
        var policy = self.policy
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: maxSize * batch, alignment: 16)
        defer { buffer.deallocate() }
        var arrivals = [csupervision_arrival](repeating: csupervision_arrival(), count: batch)
        var isDraining = false
        while true {
            switch orders.current {
            case .serve: break
            case .stop: return .success(())
            case .drain:
                if socket.origin != .bound { return .success(()) }
                if !isDraining { socket.refuse() }
                isDraining = true
            }

            let room = reserve()
            guard room > 0 else {
                orders.wake.wait()
                continue
            }
            let count = csupervision_datagram_receive(
                descriptor,
                buffer.baseAddress,
                maxSize,
                CInt(room),
                &arrivals
            )
            if count > 0 {
                policy.accepted()
                session.useReservations(Int(count))
                queue.put(arrivals.prefix(Int(count)).enumerated().map { datagram($0, $1, in: buffer) })
            }
            session.dropReservations(room - max(0, Int(count)))
            guard count < 0 else { continue }
            switch policy.failed(-count) {
            case .goOn: break
            case .wait:
                if isDraining { return .success(()) }
                orders.wake.wait(orUntilReadable: descriptor)
            case .pause(let length, let isNews):
                let error = -count
                if isNews {
                    session.report(
                        .receivePaused(socket: socket.localAddress, errorNumber: error, pause: length)
                    )
                }
                orders.wake.wait(atMost: length)
            case .giveUp:
                let message = "cannot receive on \"\(socket.name)\" (\(socket.localAddress))"
                return .failure(SocketError(.receiveFailed, message, errno: -count))
            }
        }
    }

    /// Holds places for the next datagrams; where there is none, the next handler that ends wakes the thread.
    private func reserve() -> Int {
        let room = session.reserve(upTo: batch)
        if room > 0 { return room }
        orders.wantRoom()
        // One may have ended before it could know.
        return session.reserve(upTo: batch)
    }

    private func datagram(
        _ index: Int,
        _ arrival: csupervision_arrival,
        in buffer: UnsafeMutableRawBufferPointer
    ) -> Datagram {
        let start = index * maxSize
        return Datagram(Array(buffer[start..<start + arrival.length]), arrival, on: socket, in: session)
    }
}
