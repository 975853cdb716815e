import Foundation
import SupervisionLock
import SupervisionTesting

/// The fixture's program in a process of its own.
final class FixtureProcess: Sendable {
    /// The system would not start it.
    struct Refused: Error, CustomStringConvertible {
        let path: String
        let errorNumber: CInt

        var description: String { "cannot run \(path): \(String(cString: strerror(errorNumber)))" }
    }

    /// The lines of its standard error.
    let said = Recorder<String>()

    private let process: pid_t
    private let input: FileHandle
    private let ends = Recorder<CInt>()

    /// Starts it.
    init(_ mode: String, variables: [String: String] = [:]) throws {
        // Beside the program that runs the tests.
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let path = URL(fileURLWithPath: own).deletingLastPathComponent().appending(path: "DaemonFixture").path
        let (input, output) = (Pipe(), Pipe())
        process = try Self.spawn(path, [path, mode], variables, input, output)
        self.input = input.fileHandleForWriting
        try input.fileHandleForReading.close()
        try output.fileHandleForWriting.close()
        Thread.detachNewThread { [said, ends, process, reader = output.fileHandleForReading] in
            var rest = Data()
            while case let bytes = reader.availableData, !bytes.isEmpty {
                rest += bytes
                while let end = rest.firstIndex(of: 0x0A) {
                    said.add(String(decoding: rest[..<end], as: UTF8.self))
                    rest.removeSubrange(...end)
                }
            }
            var status: CInt = 0
            while waitpid(process, &status, 0) < 0, errno == EINTR {}
            ends.add(status)
        }
    }

    deinit {
        if ends.all.isEmpty { kill(process, SIGKILL) }
    }

    func signal(_ number: CInt) {
        kill(process, number)
    }

    /// Lets its standard input come to an end.
    func endInput() throws {
        try input.close()
    }

    /// What it has exited with; nil where a signal has ended it.
    ///
    /// Waits for the end.
    var exitStatus: CInt? {
        get async {
            guard let status = await ends.wait(forCount: 1).first, status & 0x7F == 0 else { return nil }
            return status >> 8 & 0xFF
        }
    }

    private static func spawn(
        _ path: String,
        _ arguments: [String],
        _ variables: [String: String],
        _ input: Pipe,
        _ output: Pipe
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(
            &actions,
            input.fileHandleForReading.fileDescriptor,
            STDIN_FILENO
        )
        posix_spawn_file_actions_adddup2(
            &actions,
            output.fileHandleForWriting.fileDescriptor,
            STDERR_FILENO
        )
        for pipe in [input, output] {
            posix_spawn_file_actions_addclose(&actions, pipe.fileHandleForReading.fileDescriptor)
            posix_spawn_file_actions_addclose(&actions, pipe.fileHandleForWriting.fileDescriptor)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The threads of a test may block signals, and a process inherits that.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var process = pid_t()
        var arguments = arguments.map { strdup($0) } + [nil]
        var variables = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in arguments + variables { free(text) } }
        let result = posix_spawn(&process, path, &actions, &attributes, &arguments, &variables)
        guard result == 0 else { throw Refused(path: path, errorNumber: result) }
        return process
    }
}
