import DaemonKit

/// Which sockets there are: the three that the manager passes, or ports for a server that was started by hand.
struct Sockets {
    static let names = ["http", "https", "quic"]

    /// Whether they were passed: then nothing is ever bound.
    let arePassed: Bool

    /// Looks at what was passed to this process.
    ///
    /// - Parameters:
    ///   - environment: What the manager told.
    ///   - pid: This process.
    /// - Throws: Where another number than three was passed.
    init(_ environment: ServiceEnvironment, pid: Int32 = ProcessIdentity.current.pid) throws {
        // Nothing was passed to us, or it was to another process: LISTEN_PID says which.
        guard environment.variables["LISTEN_PID"] == "\(pid)" else {
            arePassed = false
            return
        }
        let count = environment.descriptors.count
        guard count == Self.names.count else {
            throw WrongCount(count: count, text: environment.variables["LISTEN_FDS"] ?? "")
        }
        arePassed = true
    }

    /// Where to listen when nothing was passed; nil when it was, so that a name that is missing is an error.
    func fallback(_ variable: String, _ port: Int) -> Listener.Fallback? {
        arePassed ? nil : .port(fromVariable: variable, default: port)
    }

    /// Some of the socket units do not run, or one too many does.
    struct WrongCount: Error, CustomStringConvertible {
        let count: Int
        let text: String

        var description: String {
            let names = Sockets.names.map { "\"\($0)\"" }.joined(separator: ", ")
            return
                "\(count) sockets were passed (LISTEN_FDS is \"\(text)\"), but \(Sockets.names.count) are expected: \(names)"
        }
    }
}
