#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a piece of code has left open in the process: descriptors, and threads with a name of their own.
///
/// ```swift
/// @Test func leavesNothingOpen() async {
///     await #expect(processExitsWith: .success) {
///         try await Leftovers.expectNone {
///             let trial = try DaemonTrial(Hello(), variables: ["PORT": "0"])
///             try await trial.ready()
///             await trial.stop()
///         }
///     }
/// }
/// ```
///
/// Descriptors that only wait for others (epoll, eventfd, timerfd) are not counted: Dispatch has some of its own. Nor
/// is what else the kernel calls an `anon_inode`: descriptors of processes (pidfd), and those of inotify. It looks at
/// the whole process, what other tests do at the same time included: hence the process of its own there. Linux only;
/// elsewhere nothing is ever found.
public struct Leftovers: Error, CustomStringConvertible {
    /// What is open that was not before: of each descriptor what it is, as in `socket` or `/run/a.log`.
    public let descriptors: [String]

    /// The names of the threads that were not there before.
    public let threads: [String]

    /// What was left.
    public var description: String {
        (descriptors.map { "open: \($0)" } + threads.map { "thread: \($0)" }).joined(separator: ", ")
    }

    /// Runs some code, and expects that it leaves no descriptor open and no thread behind.
    ///
    /// It is run twice, and what the second time has left counts: what a process makes when it first needs it, and then
    /// keeps, is no leftover. Looks again and again before it finds something, for a thread that has ended is gone a
    /// moment later.
    ///
    /// - Parameter body: The code.
    /// - Throws: ``Leftovers`` that were found, and what the code throws.
    public static func expectNone(_ body: () async throws -> Void) async throws {
        try await body()
        let before = Snapshot()
        try await body()
        for _ in 0..<attempts {
            if Snapshot().since(before) == nil { return }
            await Task.yield()
        }
        if let leftovers = Snapshot().since(before) { throw leftovers }
    }

    private static let attempts = 10_000

    /// What is open at a moment.
    private struct Snapshot {
        private let descriptors: [String: Int]
        private let threads: [String: Int]

        init() {
            // The threads of the runtime and of Dispatch come and go; they are named after the process, or a queue.
            let own = Self.text(of: "/proc/self/comm")
            let names = Self.entries(of: "/proc/self/task").compactMap { thread -> String? in
                guard let name = Self.text(of: "/proc/self/task/\(thread)/comm") else { return nil }
                return name == own || name.contains("qos") ? nil : name
            }
            threads = Dictionary(names.map { ($0, 1) }, uniquingKeysWith: +)
            // What Dispatch waits with (epoll, eventfd, timerfd) it makes when it needs it, and keeps.
            let kinds = Self.entries(of: "/proc/self/fd").compactMap { number -> String? in
                let target = Self.target(of: "/proc/self/fd/\(number)")
                return target == "anon_inode" ? nil : target
            }
            descriptors = Dictionary(kinds.map { ($0, 1) }, uniquingKeysWith: +)
        }

        func since(_ before: Snapshot) -> Leftovers? {
            func more(_ now: [String: Int], _ before: [String: Int]) -> [String] {
                now.flatMap { name, count in
                    Array(repeating: name, count: max(0, count - (before[name] ?? 0)))
                }.sorted()
            }
            let found = Leftovers(
                descriptors: more(descriptors, before.descriptors),
                threads: more(threads, before.threads)
            )
            return found.descriptors.isEmpty && found.threads.isEmpty ? nil : found
        }

        private static func entries(of directory: String) -> [String] {
            guard let stream = opendir(directory) else { return [] }
            defer { closedir(stream) }
            var names: [String] = []
            while let entry = readdir(stream) {
                let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                }
                // The stream's own descriptor has gone when its target is asked for.
                if name.first != ".", name != "\(dirfd(stream))" { names.append(name) }
            }
            return names
        }

        /// What a descriptor is: `socket`, `pipe` and the like without their numbers, a path as a whole.
        private static func target(of link: String) -> String? {
            var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
            let length = readlink(link, &buffer, buffer.count)
            guard length > 0 else { return nil }
            let text = String(decoding: buffer[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
            return text.hasPrefix("/") ? text : String(text.prefix { $0 != ":" })
        }

        private static func text(of path: String) -> String? {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { return nil }
            defer { close(descriptor) }
            var buffer = [UInt8](repeating: 0, count: 64)
            let count = read(descriptor, &buffer, buffer.count)
            return count > 0 ? String(decoding: buffer[..<count].prefix { $0 != 0x0A }, as: UTF8.self) : nil
        }
    }
}
