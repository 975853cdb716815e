import Foundation

/// The threads of this process.
enum Threads {
    /// How many have a name that begins so.
    static func count(_ prefix: String) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count { thread in
            let name = try? String(contentsOfFile: "/proc/self/task/\(thread)/comm", encoding: .utf8)
            return name?.hasPrefix(prefix) == true
        }
    }
}

/// Returns when something is so, or never is.
///
/// A thread that has been joined, and a task that has ended, are gone a moment later, and nothing tells when.
func settle(_ isSo: () throws -> Bool) async throws {
    for _ in 0..<100_000 {
        if try isSo() { return }
        await Task.yield()
    }
}
