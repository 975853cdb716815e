/// A signal that a test sends to the daemon it runs, without a process's signals having to do with it.
public enum Signal: String, Sendable, Hashable, CustomStringConvertible {
    /// SIGTERM: the manager stops the service.
    case terminate = "SIGTERM"
    /// SIGINT: somebody types Ctrl-C.
    case interrupt = "SIGINT"
    /// SIGHUP: the service is to reload.
    case hangUp = "SIGHUP"
    /// SIGUSR1: the service is to write down its tree.
    case user1 = "SIGUSR1"

    /// The signal's name, as in `SIGTERM`.
    public var description: String { rawValue }
}
