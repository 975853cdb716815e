import DaemonKit
import Foundation
import Synchronization

/// Tells the manager whatever a check wants to be told, in words of the kit's own.
///
/// Each line on the port is a message, such as `status serving`, or several with ` + ` between two that go out as
/// one. It is answered when the manager has acted upon it.
enum Orders {
    private static let daemon = ChildReference<DaemonContext>()
    private static let pipes = Mutex<[Pipe]>([])

    static let clerk = ChildSpec("clerk", publishing: daemon) { child in
        child.started(child.daemon)
        await child.shutdownRequested()
    }

    static let listener = Listener("orders", fallback: .port(7780)) { connection in
        let notifier = try await daemon.value.notifier
        var rest: [UInt8] = []
        while case let bytes = try await connection.read(), !bytes.isEmpty {
            rest += bytes
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: rest[..<end], as: UTF8.self)
                rest.removeSubrange(...end)
                try await connection.write("\(await follow(line, notifier))\n")
            }
        }
    }

    private static func follow(_ line: String, _ notifier: Notifier) async -> String {
        do {
            switch line {
            case "spawn": return "\(try spawn())"
            case "hang up":
                pipes.withLock { $0 = [] }
                return "hung up"
            case "flood":
                // More than any socket takes at once, and of a kind that no newer one replaces.
                for number in 1...10_000 { notifier.send(try .variable("X_CHECK_FLOOD", "\(number)")) }
                return "\(await notifier.barrier(timeout: .seconds(60))), \(notifier.droppedCount) dropped"
            default:
                let outcome = notifier.send(try message(line))
                return "\(outcome), \(await notifier.barrier(timeout: .seconds(60)))"
            }
        } catch {
            return "\(error)".split(separator: "\n").joined(separator: " ")
        }
    }

    private static func message(_ line: String) throws -> NotifyMessage {
        var words = line.components(separatedBy: " + ")[...]
        var message = try one(words.removeFirst())
        for word in words { message = message + (try one(word)) }
        return message
    }

    private static func one(_ text: String) throws -> NotifyMessage {
        var words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)[...]
        let name = words.removeFirst()
        let rest = words.joined(separator: " ")
        let number = words.first.flatMap { UInt64($0) } ?? 0
        switch name {
        case "ready": return .ready
        case "stopping": return .stopping
        case "reloading": return .reloading()
        case "reloading-since": return .reloading(at: MonotonicInstant(microseconds: number))
        case "status": return .status(rest)
        case "watchdog": return .watchdog
        case "watchdog-timeout": return .watchdogTimeout(.microseconds(number))
        case "extend": return .extendTimeout(by: .microseconds(number))
        case "errno": return .errno(CInt(number))
        case "bus-error": return try .busError(rest)
        case "varlink-error": return try .varlinkError(rest)
        case "exit-status": return .exitStatus(Int(number))
        case "access":
            guard let access = NotifyAccess(rawValue: rest) else {
                throw Trouble(description: "no access is called \(rest)")
            }
            return .notifyAccess(access)
        case "main": return .mainProcess(try identity(words))
        case "main-descriptor":
            let descriptor = try ownPidfd()
            defer { close(descriptor) }
            return try .mainProcess(pidfd: descriptor)
        case "store", "store-unwatched":
            let name = words.dropFirst().joined(separator: " ")
            return try .storeDescriptors(
                openPipes(Int(number)),
                named: name,
                keepsBroken: text.hasPrefix("store-unwatched")
            )
        case "remove": return try .removeStored(named: rest)
        default: return try .variable(name, rest)
        }
    }

    /// A process's id, or that and the inode of its pidfd.
    private static func identity(_ words: ArraySlice<String>) throws -> ProcessIdentity {
        let numbers = words.compactMap { UInt64($0) }
        guard let pid = numbers.first else { throw Trouble(description: "no process is named") }
        return ProcessIdentity(pid: Int32(pid), pidfdInode: numbers.dropFirst().first)
    }

    /// A pidfd of this process: the kernel gives the one at the other end of a socket (`SO_PEERPIDFD`).
    private static func ownPidfd() throws -> CInt {
        #if os(Linux)
            var ends: [CInt] = [-1, -1]
            socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &ends)
            defer { for end in ends { close(end) } }
            var descriptor: CInt = -1
            var length = socklen_t(MemoryLayout<CInt>.size)
            guard getsockopt(ends[0], SOL_SOCKET, 77, &descriptor, &length) == 0 else {
                throw Trouble(description: "no pidfd", errorNumber: errno)
            }
            return descriptor
        #else
            throw Trouble(description: "this system has no pidfds")
        #endif
    }

    /// Another process of the service, which does nothing.
    private static func spawn() throws -> Int32 {
        let sleeper = Process()
        sleeper.executableURL = URL(fileURLWithPath: "/bin/sleep")
        sleeper.arguments = ["infinity"]
        try sleeper.run()
        return sleeper.processIdentifier
    }

    /// The read ends of new pipes, which hang up when these are dropped.
    private static func openPipes(_ count: Int) -> [CInt] {
        let new = (0..<count).map { _ in Pipe() }
        pipes.withLock { $0 += new }
        return new.map(\.fileHandleForReading.fileDescriptor)
    }
}
