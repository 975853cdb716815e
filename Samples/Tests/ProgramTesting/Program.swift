import Dispatch
import Foundation
import Glibc
import Synchronization

/// One of the samples as a process, started as a service manager does.
public final class Program: Sendable {
    private struct State {
        var output: [UInt8] = []
        var lines: [String] = []
        var unfinished: [UInt8] = []
        var openStreams = 2
        var status: CInt?
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let pid: pid_t
    private let state = Mutex(State())

    /// Starts a program that was built with the tests.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - arguments: What follows that.
    ///   - variables: All of its environment.
    ///   - descriptors: What it has from 3 on, as if `LISTEN_PID` were its own. Still the caller's.
    ///   - isForIt: Whether `LISTEN_PID` is to be its own; else that of this process.
    /// - Throws: What kept it from being started.
    public init(
        _ name: String,
        _ arguments: [String] = [],
        variables: [String: String] = [:],
        descriptors: [CInt] = [],
        isForIt: Bool = true
    ) throws {
        let built = URL(
            fileURLWithPath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        )
        let own = URL(fileURLWithPath: CommandLine.arguments[0])
        let path = [built, own].map { $0.deletingLastPathComponent().appendingPathComponent(name).path }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
        guard let path else { throw Failure("\(name) was not built beside \(own.path)") }
        var variables = variables
        // The shell's number becomes the program's.
        var shell = ["/bin/sh", "-c", "exec \"$0\" \"$@\"", path]
        if !descriptors.isEmpty {
            variables["LISTEN_FDS"] = variables["LISTEN_FDS"] ?? "\(descriptors.count)"
            if isForIt {
                shell[2] = "LISTEN_PID=$$ exec \"$0\" \"$@\""
            } else {
                variables["LISTEN_PID"] = "\(getpid())"
            }
        }

        var (output, errors) = ([CInt](repeating: -1, count: 2), [CInt](repeating: -1, count: 2))
        // Pairs of sockets are pipes that are close-on-exec from the start: other tests start processes too.
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &output) == 0, socketpair(AF_UNIX, type, 0, &errors) == 0 else {
            throw Failure("socketpair: errno \(errno)")
        }
        // Out of the way of the numbers that they will have.
        let copies = ([output[1], errors[1]] + descriptors).map { fcntl($0, F_DUPFD_CLOEXEC, 200) }
        defer { for descriptor in copies + [output[1], errors[1]] { close(descriptor) } }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        for (number, copy) in copies.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, copy, CInt(number + 1))
        }
        var arguments = (shell + arguments).map { strdup($0) } + [nil]
        var environment = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in arguments + environment { free(text) } }
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, "/bin/sh", &actions, nil, &arguments, &environment)
        self.pid = pid
        guard failure == 0 else {
            close(output[0])
            close(errors[0])
            throw Failure("posix_spawn: \(failure)")
        }
        read(output[0]) { $0.output += $1 }
        read(errors[0]) { state, bytes in
            state.unfinished += bytes
            var lines = state.unfinished.split(
                separator: UInt8(ascii: "\n"),
                omittingEmptySubsequences: false
            )
            state.unfinished = lines.popLast().map(Array.init) ?? []
            state.lines += lines.map { String(decoding: $0, as: UTF8.self) }
        }
        DispatchQueue(label: "waitpid").async { [pid] in
            var status: CInt = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            let code = status & 0x7F == 0 ? (status >> 8) & 0xFF : -(status & 0x7F)
            self.change { $0.status = code }
        }
    }

    private func read(_ descriptor: CInt, _ take: @escaping @Sendable (inout State, [UInt8]) -> Void) {
        DispatchQueue(label: "read").async {
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = Glibc.read(descriptor, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                self.change { take(&$0, Array(buffer.prefix(count))) }
            }
            close(descriptor)
            self.change { $0.openStreams -= 1 }
        }
    }

    private func change(_ body: (inout sending State) -> Void) {
        let waiters = state.withLock { state in
            body(&state)
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits for a change until `found` gives something.
    private func wait<Found: Sendable>(_ found: @Sendable (borrowing State) -> Found?) async -> Found {
        while true {
            if let now = state.withLock({ found($0) }) { return now }
            await withCheckedContinuation { continuation in
                let isThere = state.withLock { state in
                    if found(state) != nil { return true }
                    state.waiters.append(continuation)
                    return false
                }
                if isThere { continuation.resume() }
            }
        }
    }

    /// The first line on standard error that has a text in it, waiting for it; what it said instead at its end.
    public func line(with text: String) async throws -> String {
        let (line, all) = await wait { state -> (String?, [String])? in
            if let line = state.lines.first(where: { $0.contains(text) }) { return (line, []) }
            return state.status != nil && state.openStreams == 0 ? (nil, Array(state.lines)) : nil
        }
        guard let line else { throw Failure("it ended without \"\(text)\":\n\(all.joined(separator: "\n"))") }
        return line
    }

    /// The port that a listener says it has.
    public func port(of listener: String) async throws -> Int {
        let line = try await line(with: "listener \(listener): ")
        guard let port = line.split(separator: ":").last.flatMap({ Int($0) }) else { throw Failure(line) }
        return port
    }

    /// Waits for the end.
    ///
    /// - Returns: Its exit code, or the negative signal; and all of its standard output.
    public func ended() async -> (code: CInt, output: String) {
        await wait { state in
            guard let status = state.status, state.openStreams == 0 else { return nil }
            return (status, String(decoding: state.output, as: UTF8.self))
        }
    }

    /// What it has said so far on standard error, in whole lines.
    public var lines: [String] { state.withLock { $0.lines } }

    /// Sends SIGTERM.
    public func terminate() {
        kill(pid, SIGTERM)
    }

    /// Stops it, and waits for the end.
    public func stop() async -> CInt {
        terminate()
        return await ended().code
    }

    /// What kept a test from doing what it wanted.
    public struct Failure: Error, CustomStringConvertible {
        /// What that was.
        public let description: String

        /// Describes it.
        public init(_ description: String) { self.description = description }
    }
}
