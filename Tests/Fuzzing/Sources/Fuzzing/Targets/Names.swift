@testable import Systemd

extension FuzzTarget {
    /// A part is a descriptor's name.
    func attemptNames(_ input: Input) {
        var names: [String] = []
        for name in input.parts.map(\.text) {
            let isFit =
                name.utf8.count <= 255 && name.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != 0x3A }
            do {
                let message = try NotifyMessage.removeStored(named: name)
                claim(isFit, "\(name.debugDescription) is refused")
                ManagerReading.claimLines(["FDSTOREREMOVE=1", "FDNAME=\(name)"], in: message.bytes)
                names.append(name)
            } catch {
                claim(!isFit && error.code == .invalidName, "\(name.debugDescription): \(error)")
                claim(error.message.isMessage, "\(error)")
            }
        }
        guard !names.isEmpty else { return }
        let environment = ServiceEnvironment(
            variables: [
                "LISTEN_PID": "42", "LISTEN_FDS": "\(names.count)",
                "LISTEN_FDNAMES": names.joined(separator: ":"),
            ],
            process: ProcessIdentity(pid: 42)
        )
        claim(environment.descriptorNames == names, "\(names) come back as \(environment.descriptorNames)")
    }
}
