/// What a child that listens serves: a listening socket, a datagram socket, or a connection that was passed.
protocol ServedSocket: Sendable {
    /// The address that it is bound to.
    var localAddress: SocketAddress { get }

    /// Whether the manager passed it, and so can start the service again.
    var isPassed: Bool { get }

    /// For the log: what is served, and whose that is.
    var place: String { get }
}

extension ListeningSocket: ServedSocket {
    var isPassed: Bool { origin == .passed }

    var place: String { "listening on \(localAddress)\(origin.remark)" }
}

extension ListeningSocket.Origin {
    /// Whose a socket is, behind its address.
    var remark: String {
        switch self {
        case .passed: ", passed by the service manager"
        case .bound: ""
        case .kept: ", kept by the service manager"
        }
    }
}
