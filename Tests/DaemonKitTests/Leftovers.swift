import Foundation

/// What a process still has of something that has ended.
enum Leftovers {
    /// How many sockets and pipes it has open.
    ///
    /// What Dispatch and Foundation open for themselves, when they first need it, is neither.
    static func descriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count { number in
            // One that has been closed in between is none.
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)")
            return target.map { $0.hasPrefix("socket:") || $0.hasPrefix("pipe:") } ?? false
        }
    }

    /// How many threads it has whose name begins so.
    static func threads(_ prefix: String) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count { thread in
            let name = try? String(contentsOfFile: "/proc/self/task/\(thread)/comm", encoding: .utf8)
            return name?.hasPrefix(prefix) == true
        }
    }

    /// Returns when something is so, or never is.
    ///
    /// A thread that has been joined, and a task that has ended, are gone a moment later, and nothing tells when.
    static func settle(_ isSo: () throws -> Bool) async throws {
        for _ in 0..<100_000 {
            if try isSo() { return }
            await Task.yield()
        }
    }
}
