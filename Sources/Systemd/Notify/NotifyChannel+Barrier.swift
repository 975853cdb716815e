import CSupervision
import SupervisionLock

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A call of ``Notifier/barrier(timeout:)`` that waits.
///
/// The manager gets the write end of a pipe and closes it when its turn comes. The message in the queue holds
/// the only copy in this process: once it has left, the read end hangs up by the manager's hand alone.
struct BarrierWaiter {
    let id: UInt64
    let readEnd: OwnedDescriptor
    let deadline: MonotonicInstant
    let continuation: CheckedContinuation<BarrierOutcome, Never>
    var hasLeft = false

    func outcome(now: MonotonicInstant) -> BarrierOutcome? {
        if hasLeft, hasHungUp { return .passed }
        return now >= deadline ? .timedOut : nil
    }

    private var hasHungUp: Bool {
        var watched = pollfd(fd: readEnd.number, events: 0, revents: 0)
        return poll(&watched, 1, 0) > 0
    }
}

extension NotifyChannel {
    func barrier(timeout: Duration) async -> BarrierOutcome {
        let deadline = MonotonicInstant.now.advanced(by: timeout)
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: BarrierOutcome? = state.withLock { state in
                    guard !state.isClosed else { return .failed(Self.closedError) }
                    // The handler runs after this flag is set: it finds the waiter, or we find the flag.
                    if Task.isCancelled { return .cancelled }
                    if timeout <= .zero { return .timedOut }
                    let readEnd: OwnedDescriptor
                    do throws(SystemdError) {
                        readEnd = try enqueueBarrier(id, &state)
                    } catch {
                        return .failed(error)
                    }
                    state.barriers.append(
                        BarrierWaiter(
                            id: id,
                            readEnd: readEnd,
                            deadline: deadline,
                            continuation: continuation
                        )
                    )
                    state.thread?.wake()
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { $0.removeBarrier(id) }
            waiter?.continuation.resume(returning: .cancelled)
        }
    }

    /// Puts a barrier behind what waits; the thread sends it.
    private func enqueueBarrier(_ id: UInt64, _ state: inout State) throws(SystemdError) -> OwnedDescriptor {
        var ends: (read: CInt, write: CInt) = (-1, -1)
        let failure = csupervision_wake_open(&ends.read, &ends.write)
        guard failure == 0 else {
            throw .system(.sendFailed, "cannot open a pipe for a barrier", errno: -failure)
        }
        let readEnd = OwnedDescriptor(taking: ends.read)
        let message = NotifyMessage.barrier(OwnedDescriptor(taking: ends.write))
        if let error = startThread(&state) { throw error }
        guard state.queue.append(message, barrier: id) else {
            throw SystemdError(
                .queueFull,
                "\(state.queue.entries.count) messages and \(state.queue.descriptorCount) descriptors wait for "
                    + "the manager at \(state.socket.address): there is no room for a barrier behind them"
            )
        }
        return readEnd
    }

    static func endedBarriers(_ state: inout State, now: MonotonicInstant) -> [Conclusion] {
        var conclusions: [Conclusion] = []
        for waiter in state.barriers {
            guard let outcome = waiter.outcome(now: now) else { continue }
            _ = state.removeBarrier(waiter.id)
            conclusions.append(.barrier(waiter.continuation, outcome))
        }
        return conclusions
    }
}

extension NotifyChannel.State {
    mutating func markLeft(_ barrier: UInt64) {
        guard let index = barriers.firstIndex(where: { $0.id == barrier }) else { return }
        barriers[index].hasLeft = true
    }

    /// Forgets a barrier, in the queue too.
    mutating func removeBarrier(_ id: UInt64) -> BarrierWaiter? {
        queue.remove(barrier: id)
        return barriers.firstIndex { $0.id == id }.map { barriers.remove(at: $0) }
    }
}
