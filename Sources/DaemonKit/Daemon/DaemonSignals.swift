import CSupervision
import Dispatch
import SupervisionLock

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Receives the signals that a daemon acts on, from the moment it is made.
///
/// A handler that writes into a pipe, and a queue that reads it: not the cooperative pool, so that a second signal
/// is heard also when the pool is blocked. A library that installs handlers of its own for these signals takes
/// them away from here.
final class DaemonSignals: Sendable {
    // Only kept alive.
    private let source: Locked<any DispatchSourceRead>

    /// Begins to receive signals.
    ///
    /// - Parameters:
    ///   - stop: Called for SIGTERM and SIGINT.
    ///   - reload: Called for SIGHUP.
    ///   - look: Called for SIGUSR1.
    /// - Throws: `SocketError` when the system has no pipe to give.
    init(
        stop: @escaping @Sendable (StopSignal) -> Void,
        reload: @escaping @Sendable () -> Void,
        look: @escaping @Sendable () -> Void
    ) throws {
        let numbers = StopSignal.allCases.map(\.number) + [SIGHUP, SIGUSR1]
        let descriptor = csupervision_signal_pipe(numbers, CInt(numbers.count))
        guard descriptor >= 0 else {
            throw SocketError(.systemError, "cannot make a pipe for signals", errno: -descriptor)
        }
        let source = DispatchSource.makeReadSource(
            fileDescriptor: descriptor,
            queue: DispatchQueue(label: "daemon-signals", qos: .userInteractive)
        )
        source.setEventHandler {
            var number: UInt8 = 0
            while read(descriptor, &number, 1) == 1 {
                if let signal = StopSignal.allCases.first(where: { $0.number == CInt(number) }) {
                    stop(signal)
                } else if CInt(number) == SIGHUP {
                    reload()
                } else {
                    look()
                }
            }
        }
        source.activate()
        self.source = Locked(source)
    }
}
