import CSupervision

/// A virtual machine's socket: `vsock:CID:PORT`, or with a type, `vsock-stream:CID:PORT`.
struct VsockAddress: Sendable, Hashable {
    enum Kind: String, Sendable, CaseIterable {
        case any = "vsock:"
        case datagram = "vsock-dgram:"
        case seqpacket = "vsock-seqpacket:"
        case stream = "vsock-stream:"
    }

    let kind: Kind
    let context: UInt32
    let port: UInt32

    /// Gives `nil` for what does not begin as one of the forms does.
    init?(_ text: String) throws(SystemdError) {
        guard let kind = Kind.allCases.first(where: { text.hasPrefix($0.rawValue) }) else { return nil }
        let parts = text.dropFirst(kind.rawValue.count).split(
            separator: ":",
            omittingEmptySubsequences: false
        )
        guard parts.count == 2 else { throw Self.error(text, "does not have a context id and a port") }
        guard let context = Self.words[parts[0]] ?? Self.number(parts[0]) else {
            throw Self.error(text, "has \(String(parts[0]).quotedForMessage) for a context id")
        }
        guard let port = Self.number(parts[1]) else {
            throw Self.error(text, "has \(String(parts[1]).quotedForMessage) for a port")
        }
        self.kind = kind
        self.context = context
        self.port = port
    }

    // The greatest number is VMADDR_CID_ANY and VMADDR_PORT_ANY: good for listening, not for sending.
    private static func number(_ text: Substring) -> UInt32? {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let number = UInt32(text), number != .max
        else { return nil }
        return number
    }

    private static let words: [Substring: UInt32] = ["hypervisor": 0, "local": 1, "host": 2]

    private static func error(_ text: String, _ reason: String) -> SystemdError {
        SystemdError(
            .invalidAddress,
            "\(text.quotedForMessage) \(reason); expected vsock:CID:PORT with two numbers below 4294967295"
        )
    }
}

extension VsockAddress.Kind {
    var forKernel: csupervision_vsock_type {
        switch self {
        case .any: CSUPERVISION_VSOCK_ANY
        case .datagram: CSUPERVISION_VSOCK_DATAGRAM
        case .seqpacket: CSUPERVISION_VSOCK_SEQPACKET
        case .stream: CSUPERVISION_VSOCK_STREAM
        }
    }
}
