@testable import DaemonKit

/// A failure of the system, with the number that the manager is told (`ERRNO`).
struct SystemFailure: ErrnoCarrying, CustomStringConvertible {
    var errorNumber: CInt?
    var description: String { "the system refused" }
}
