#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A program of the benchmarks: `PROGRAM WORKLOAD COUNT` prints what it measured, one `name value` a line.
///
/// Exit status: 0; 1 when something did not do its work, so that its figures mean nothing; 64 for wrong arguments.
public struct Contender: Sendable {
    /// Something to do so many times.
    public typealias Workload = @Sendable (_ count: Int, _ meter: Meter) async throws -> Void

    private let workloads: [String: Workload]
    private let meter: Meter

    /// Describes a contender.
    ///
    /// - Parameters:
    ///   - workloads: What it can do, by name.
    ///   - meter: What is measured.
    public init(_ workloads: [String: Workload], meter: Meter) {
        self.workloads = workloads
        self.meter = meter
    }

    /// Does what the arguments of the process say, and ends the process where that went wrong.
    public func run() async {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.count == 2, let name = arguments.first, let workload = workloads[name],
            let count = arguments.last.flatMap({ Int($0) }), count > 0
        else {
            complain("usage: WORKLOAD COUNT, with WORKLOAD one of \(workloads.keys.sorted())")
            exit(64)
        }
        // On the pool: on the main actor each step of a handshake crosses threads. Of the same priority, for else
        // it is raised when this waits for it, and what was begun before then has threads of its own.
        let work = Task.detached(priority: Task.currentPriority) { [meter] in
            try await workload(count, meter)
        }
        do {
            try await work.value
        } catch {
            complain("\(name) \(count): \(error)")
            exit(1)
        }
        for line in meter.lines { print(line) }
    }

    private func complain(_ text: String) {
        let line = Array("\(text)\n".utf8)
        write(STDERR_FILENO, line, line.count)
    }
}
