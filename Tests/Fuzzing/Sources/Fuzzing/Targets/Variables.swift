@testable import Systemd

extension FuzzTarget {
    /// A name and a value of a variable; the value may be the name of an error.
    func attemptVariables(_ input: Input) {
        let parts = input.parts
        let name = parts[0].text
        let value = parts.count > 1 ? parts[1].text : ""
        let isFit =
            name.utf8.first.map { !(0x30...0x39).contains($0) } == true
            && name.utf8.allSatisfy { (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
            && !["FDSTORE", "BARRIER", "MAINPIDFD"].contains(name)
            && !value.utf8.contains { [0, 0x0A, 0x0D].contains($0) }
        do {
            let message = try NotifyMessage.variable(name, value) + .ready
            claim(isFit, "\(name.debugDescription)=\(value.debugDescription) is refused")
            ManagerReading.claimLines(["\(name)=\(value)", "READY=1"], in: message.bytes)
        } catch {
            claim(!isFit, "\(name.debugDescription)=\(value.debugDescription) is taken: \(error)")
            claim(error.code == .invalidVariable && error.message.isMessage, "\(error)")
        }
        for (name, make) in [
            ("BUSERROR", NotifyMessage.busError), ("VARLINKERROR", NotifyMessage.varlinkError),
        ] {
            do {
                let message = try make(value) + .ready
                claim(value.utf8.allSatisfy { (0x21...0x7E).contains($0) }, value.debugDescription)
                ManagerReading.claimLines(["\(name)=\(value)", "READY=1"], in: message.bytes)
            } catch {
                claim(error.code == .invalidVariable && error.message.isMessage, "\(error)")
            }
        }
    }
}
