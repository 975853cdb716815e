@testable import Systemd

extension FuzzTarget {
    /// All of it is an address.
    func attemptAddresses(_ input: Input) {
        let text = input.text
        let isPath = text.isAbsolutePath && (2...107).contains(text.utf8.count)
        let isName = text.utf8.first == 0x40 && (2...108).contains(text.utf8.count) && !text.utf8.contains(0)
        do {
            let address = try NotifyAddress(text)
            claim(address.description.isSame(as: text), "\(text.debugDescription) is \(address)")
            claim(try NotifyAddress(address.description) == address, "\(address) is itself")
            if let vsock = address.vsock {
                let parts = text.utf8.split(separator: 0x3A).map { String(Substring($0)) }
                let words: [String: UInt64] = ["hypervisor": 0, "local": 1, "host": 2]
                claim("\(parts[0]):" == vsock.kind.rawValue, "\(address) is of kind \(vsock.kind)")
                claim(words[parts[1]] ?? parts[1].plainNumber == UInt64(vsock.context), "\(vsock.context)")
                claim(parts[2].plainNumber == UInt64(vsock.port), "\(vsock.port)")
                claim(parts.count == 3 && vsock.context != .max && vsock.port != .max, "\(vsock)")
            } else {
                claim(isPath || isName, "\(text.debugDescription) is no address")
            }
        } catch {
            claim(!isPath && !isName, "\(text.debugDescription) is an address: \(error)")
            claim(error.code == .invalidAddress && error.message.isMessage, "\(error)")
        }

        do {
            _ = try Journal(path: text)
            claim(text.isAbsolutePath && text.utf8.count <= 107, "\(text.debugDescription) is no path")
        } catch {
            claim(error.code == .invalidAddress && error.message.isMessage, "\(error)")
        }
    }
}
