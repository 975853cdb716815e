import CSupervision
import Dispatch

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A signal that asks the daemon to stop.
enum StopSignal: CaseIterable, CustomStringConvertible {
    case terminate
    case interrupt

    var number: CInt {
        switch self {
        case .terminate: SIGTERM
        case .interrupt: SIGINT
        }
    }

    var description: String {
        switch self {
        case .terminate: "SIGTERM"
        case .interrupt: "SIGINT"
        }
    }

    /// What a shell shows of a process that this signal ended.
    var exitCode: ExitCode { ExitCode(rawValue: 128 + number) }
}

/// Receives the stop signals of the process, from the moment it is made.
///
/// A handler that writes into a pipe, and a queue that reads it: not the cooperative pool, so that a second signal
/// is heard also when the pool is blocked. A library that installs handlers of its own for these signals takes
/// them away from here.
final class StopSignals: Sendable {
    // Only kept alive: made and activated in the initializer, then never touched. Dispatch's objects may be
    // released on any thread.
    private nonisolated(unsafe) let source: any DispatchSourceRead

    init(_ receive: @escaping @Sendable (StopSignal) -> Void) throws {
        let numbers = StopSignal.allCases.map(\.number)
        let descriptor = csupervision_signal_pipe(numbers, CInt(numbers.count))
        guard descriptor >= 0 else {
            throw SocketError(.systemError, "cannot make a pipe for signals", errno: -descriptor)
        }
        source = DispatchSource.makeReadSource(
            fileDescriptor: descriptor,
            queue: DispatchQueue(label: "stop-signals", qos: .userInteractive)
        )
        source.setEventHandler {
            var number: UInt8 = 0
            while read(descriptor, &number, 1) == 1 {
                if let signal = StopSignal.allCases.first(where: { $0.number == CInt(number) }) {
                    receive(signal)
                }
            }
        }
        source.activate()
    }
}
