internal import CSupervision

extension Endpoint {
    /// Whether a listening socket is what binding this would give.
    ///
    /// - Parameter descriptor: The socket.
    /// - Returns: False also where the file of a Unix socket is no more, so that nobody finds it.
    func isBound(by descriptor: CInt) -> Bool {
        let address = SocketAddress.local(of: descriptor)
        switch self {
        case .port(let port):
            guard port == 0 || address.port == port else { return false }
            switch address {
            case .ipv6(host: "::", _): return csupervision_socket_is_dual(descriptor) == 1
            case .ipv4(host: "0.0.0.0", _): return true
            default: return false
            }
        case .host(let host, let port):
            var wanted = csupervision_address()
            let known = address.port ?? 0
            guard port == 0 || known == port,
                csupervision_host_address(host, CInt(clamping: known), &wanted) == 1
            else { return false }
            return SocketAddress(wanted) == address
        case .unix(let path):
            return address == .unix(path: path) && (path.hasPrefix("@") || SocketFile(at: path) != nil)
        }
    }
}
