import DaemonKit
import Foundation
import Glibc
public import SupervisionTesting
import Synchronization

/// A program of this package as a process of its own, started as a service manager would.
public final class SampleProcess: Sendable {
    private struct State {
        var lines: [String] = []
        var status: CInt?
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    /// What it tells its manager.
    public let manager: FakeServiceManager

    private let pid: pid_t
    private let state = Mutex(State())

    /// Starts it.
    ///
    /// - Parameters:
    ///   - program: Its name; or the path of any other.
    ///   - arguments: What follows that on the command line.
    ///   - variables: Its environment, besides what the manager says.
    ///   - sockets: The sockets that it is passed, in their order.
    /// - Throws: What kept it from being started.
    public init(
        _ program: String,
        arguments: [String] = [],
        variables: [String: String] = [:],
        sockets: [PassedSocket] = []
    ) throws {
        manager = try FakeServiceManager()
        let path = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let binary = URL(fileURLWithPath: program, relativeTo: URL(fileURLWithPath: path))
        var environment = variables.merging(manager.variables) { mine, _ in mine }
        var command = [binary.path] + arguments
        if !sockets.isEmpty {
            environment["LISTEN_FDS"] = "\(sockets.count)"
            environment["LISTEN_FDNAMES"] = sockets.map(\.name).joined(separator: ":")
            // The number is known in the process alone.
            command = ["/bin/sh", "-c", "LISTEN_PID=$$ exec \"$0\" \"$@\""] + command
        }
        var pipe: [CInt] = [0, 0]
        guard Glibc.pipe(&pipe) == 0 else { throw POSIXError(.EMFILE) }
        defer { close(pipe[1]) }
        let passed = try sockets.map { try $0.handOver().number }
        defer { for descriptor in passed { close(descriptor) } }
        pid = try Self.spawn(command, environment, output: pipe[1], passed)
        let output = pipe[0]
        Thread.detachNewThread { self.follow(output) }
    }

    private static func spawn(
        _ command: [String],
        _ environment: [String: String],
        output: CInt,
        _ sockets: [CInt]
    ) throws -> pid_t {
        // To high numbers first: none of them may be overwritten before it has been moved.
        let sources = ([output, output] + sockets).map { fcntl($0, F_DUPFD_CLOEXEC, 500) }
        defer { for source in sources { close(source) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (offset, source) in sources.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, source, CInt(1 + offset))
        }
        // Connections of other tests too: as long as a process has one, it is not closed.
        for number in (1 + sources.count)..<min(2048, sysconf(CInt(_SC_OPEN_MAX))) {
            posix_spawn_file_actions_addclose(&actions, CInt(number))
        }

        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var pid = pid_t()
        let failure = posix_spawn(&pid, command[0], &actions, nil, &arguments, &variables)
        guard failure == 0 else { throw POSIXError(POSIXErrorCode(rawValue: failure) ?? .EIO) }
        return pid
    }

    private func follow(_ output: CInt) {
        var rest: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(output, &block, block.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            rest += block[..<count]
            while let end = rest.firstIndex(of: 0x0A) {
                let line = String(decoding: rest[..<end], as: UTF8.self)
                rest.removeSubrange(...end)
                change { $0.lines.append(line) }
            }
        }
        close(output)
        var status: CInt = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        let code = status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
        change { $0.status = code }
    }

    private func change(_ body: (inout State) -> Void) {
        let waiters = state.withLock { state in
            body(&state)
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    private func wait<Value>(_ look: (State) -> Value?) async -> Value {
        while true {
            if let value = state.withLock({ look($0) }) { return value }
            await withCheckedContinuation { continuation in
                let isThere = state.withLock { state in
                    guard look(state) == nil else { return true }
                    state.waiters.append(continuation)
                    return false
                }
                if isThere { continuation.resume() }
            }
        }
    }

    /// What it has written, once a line has a text in it; all, when it ends without.
    public func lines(until text: String) async -> [String] {
        await wait { state in
            state.status != nil || state.lines.contains { $0.contains(text) } ? state.lines : nil
        }
    }

    /// The port on which a listener says that it listens.
    ///
    /// - Parameter listener: Its name.
    /// - Returns: Nil where it never said so.
    public func port(of listener: String) async -> Int? {
        let start = "listener \(listener): listening on "
        let line = await lines(until: start).first { $0.contains(start) }
        return line?.split(separator: ",").first?.split(separator: ":").last.flatMap { Int($0) }
    }

    /// Waits for its end.
    ///
    /// - Returns: Its exit status, or 128 and the number of the signal that ended it.
    public func end() async -> CInt {
        await wait(\.status)
    }

    /// Sends it a signal.
    public func signal(_ number: CInt) {
        state.withLock { state in
            // Gone, its number may be another's.
            if state.status == nil { kill(pid, number) }
        }
    }

    /// Sends SIGTERM, and waits for its end.
    ///
    /// - Returns: Its exit status.
    public func stop() async -> CInt {
        signal(SIGTERM)
        return await end()
    }
}
