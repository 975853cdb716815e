/// An error that knows the system's error number behind it.
///
/// When such an error ends the daemon, the number goes to the service manager (`ERRNO`), whose `systemctl status`
/// shows it in words. Conform errors of your own, or those of a library.
public protocol ErrnoCarrying: Error {
    /// The system's error number, where it was the system that refused.
    var errorNumber: CInt? { get }
}

extension SocketError: ErrnoCarrying {}

extension SystemdError: ErrnoCarrying {
    /// The system's error number, where it was the system that refused.
    public var errorNumber: CInt? { errno }
}

extension SupervisorError: ErrnoCarrying {
    /// The error number of what the child threw, where it has one.
    public var errorNumber: CInt? { (underlying as? any ErrnoCarrying)?.errorNumber }
}
