import CSupervision

/// One descriptor that the service manager passed, and what it is.
///
/// What it is was asked from the kernel when the value was made, without changing the descriptor.
public struct PassedDescriptor: Sendable, Hashable {
    /// The descriptor's number in this process.
    public let number: CInt

    /// The manager's name for it (`FileDescriptorName=`).
    ///
    /// By default the socket unit's name with its `.socket`; ``unknownName`` when the manager gave no names.
    /// Neither unique nor necessarily filled.
    public let name: String

    /// What it is.
    public let kind: DescriptorKind

    /// Its address family; `nil` when it is not a socket.
    public let family: SocketFamily?

    /// Its local address: `127.0.0.1:80`, `[::]:80`, `/run/a.sock`, `@name`; `nil` when it has none.
    public let localAddressDescription: String?

    /// The name that every descriptor has when `LISTEN_FDNAMES` is absent.
    public static let unknownName = "unknown"

    /// Asks the kernel what a descriptor is.
    ///
    /// - Parameters:
    ///   - number: The descriptor; one that is not open has the kind ``DescriptorKind/notOpen``.
    ///   - name: The name to look it up by; ``unknownName`` by default.
    public init(number: CInt, name: String = unknownName) {
        self.number = number
        self.name = name
        var found = csupervision_descriptor_inspect(number)
        kind = DescriptorKind(found.kind)
        family = SocketFamily(found.family)
        let length = Int(found.address_length)
        localAddressDescription =
            length == 0
            ? nil
            : withUnsafeBytes(of: &found.address) { String(decoding: $0.prefix(length), as: UTF8.self) }
    }
}

extension PassedDescriptor: CustomStringConvertible {
    /// For example `descriptor 3 "http" (stream listener, [::]:80)`.
    public var description: String {
        let address = localAddressDescription.map { ", \($0)" } ?? ""
        return "descriptor \(number) \(name.quotedForMessage) (\(kind)\(address))"
    }
}

extension DescriptorKind {
    fileprivate init(_ kind: csupervision_kind) {
        self =
            switch kind {
            case CSUPERVISION_KIND_NOT_OPEN: .notOpen
            case CSUPERVISION_KIND_STREAM_LISTENER: .streamListener
            case CSUPERVISION_KIND_SEQPACKET_LISTENER: .seqpacketListener
            case CSUPERVISION_KIND_DATAGRAM: .datagram
            case CSUPERVISION_KIND_CONNECTION: .connection
            case CSUPERVISION_KIND_FIFO: .fifo
            case CSUPERVISION_KIND_FILE: .file
            case CSUPERVISION_KIND_DIRECTORY: .directory
            case CSUPERVISION_KIND_MESSAGE_QUEUE: .messageQueue
            default: .other
            }
    }
}

extension SocketFamily {
    fileprivate init?(_ family: csupervision_family) {
        switch family {
        case CSUPERVISION_FAMILY_NONE: return nil
        case CSUPERVISION_FAMILY_INET: self = .inet
        case CSUPERVISION_FAMILY_INET6: self = .inet6
        case CSUPERVISION_FAMILY_UNIX: self = .unix
        case CSUPERVISION_FAMILY_NETLINK: self = .netlink
        case CSUPERVISION_FAMILY_VSOCK: self = .vsock
        default: self = .other
        }
    }
}
