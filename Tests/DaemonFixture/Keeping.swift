import DaemonKit

/// What shows whether the manager has kept something.
enum Keeping {
    /// Says hello to everybody who connects, on a socket that the next process has too.
    static func greeter(fallback: Listener.Fallback) -> Listener {
        Listener("greeter", fallback: fallback, keepsSocket: true) { connection in
            try await connection.write("hello\n")
        }
    }
}
