#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A descriptor that is closed when the last who needs it has let go of it.
package final class OwnedDescriptor: Sendable {
    package let number: CInt

    /// Takes a descriptor over: nobody else closes it.
    package init(taking number: CInt) {
        self.number = number
    }

    /// Makes a close-on-exec duplicate of somebody else's descriptor.
    convenience init(duplicating number: CInt) throws(SystemdError) {
        self.init(taking: try Self.duplicate(number))
    }

    /// Makes a close-on-exec duplicate that the caller closes.
    package static func duplicate(_ number: CInt) throws(SystemdError) -> CInt {
        // Not below 3: a closed standard stream's number must not become something else.
        let duplicate = fcntl(number, F_DUPFD_CLOEXEC, 3)
        guard duplicate >= 0 else {
            throw .system(.duplicationFailed, "cannot duplicate descriptor \(number)", errno: errno)
        }
        return duplicate
    }

    deinit {
        closeDescriptor(number)
    }
}

// Two that are alive at the same time have two numbers.
extension OwnedDescriptor: Hashable {
    package static func == (left: OwnedDescriptor, right: OwnedDescriptor) -> Bool {
        left === right
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(ObjectIdentifier(self))
    }
}
