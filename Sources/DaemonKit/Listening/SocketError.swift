internal import CSupervision

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Why a socket could not be had, or a connection not be used.
public struct SocketError: Error, Sendable {
    /// What went wrong.
    public var code: Code

    /// What was asked for, where, why it failed and what would be right, for the people who read it.
    public var message: String

    /// The system's `errno`, where it was the system that refused.
    public var errorNumber: CInt?

    /// What can go wrong.
    ///
    /// More may be added.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The name of the code.
        public var description: String

        /// The port, host, path or backlog cannot be right on any machine.
        public static let invalidEndpoint = Code(description: "invalidEndpoint")

        /// The system did not let the endpoint be bound: in use, not permitted, not an address of this machine.
        public static let cannotBind = Code(description: "cannotBind")

        /// No socket was passed, and there is no fallback to bind.
        public static let noSocket = Code(description: "noSocket")

        /// The descriptor is not a socket that listens for such connections.
        public static let notListening = Code(description: "notListening")

        /// The descriptor is not a datagram socket.
        public static let notDatagram = Code(description: "notDatagram")

        /// The descriptor is not a connected socket, or its peer has gone.
        public static let notConnected = Code(description: "notConnected")

        /// It was closed before, or its descriptor was taken.
        public static let closed = Code(description: "closed")

        /// The peer has gone, and with it what it did not read (`EPIPE`, `ECONNRESET`).
        public static let peerGone = Code(description: "peerGone")

        /// Another task reads, or writes, on this connection already.
        public static let busy = Code(description: "busy")

        /// An argument that cannot be right, such as a read of no bytes.
        public static let invalidArgument = Code(description: "invalidArgument")

        /// The listening socket does not accept any more, and never will.
        public static let acceptFailed = Code(description: "acceptFailed")

        /// No more datagrams can be received, and never will.
        public static let receiveFailed = Code(description: "receiveFailed")

        /// What was sent is longer than the system, or the reader, takes at once (`EMSGSIZE`).
        public static let tooLong = Code(description: "tooLong")

        /// The system refused something else; ``SocketError/errorNumber`` says why.
        public static let systemError = Code(description: "systemError")
    }

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
        self.errorNumber = nil
    }

    init(_ code: Code, _ message: String, errno error: CInt) {
        self.code = code
        self.message = "\(message): \(SocketError.text(of: error)) (errno \(error))"
        self.errorNumber = error
    }

    static func closedConnection(_ peer: SocketAddress) -> SocketError {
        SocketError(.closed, "the connection from \(peer) was closed here, or its descriptor was taken")
    }

    /// What a system call on a connection gave.
    static func connection(_ action: String, _ peer: SocketAddress, errno error: CInt) -> SocketError {
        let code: Code =
            switch error {
            case EPIPE, ECONNRESET: .peerGone
            case EMSGSIZE: .tooLong
            default: .systemError
            }
        return SocketError(code, "cannot \(action) \(peer)", errno: error)
    }

    static func text(of error: CInt) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { text in
            guard let start = text.baseAddress else { return "" }
            csupervision_error_text(error, start, text.count)
            return String(cString: start)
        }
    }
}

extension SocketError: CustomStringConvertible {
    /// The message, in one line.
    public var description: String { message }
}
