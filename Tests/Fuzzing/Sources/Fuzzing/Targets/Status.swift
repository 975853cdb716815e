@testable import Systemd

extension FuzzTarget {
    /// All of it is the text of a status.
    func attemptStatus(_ input: Input) {
        let text = input.text
        let clean = StatusText.clean(text)
        claim(clean.isOneLine, "\(text.debugDescription) becomes \(clean.debugDescription)")
        claim(StatusText.clean(clean).isSame(as: clean), "\(clean.debugDescription) is clean")
        let length = text.utf8.count + text.utf8.count { $0 == 0x5C }
        if text.isOneLine, length <= StatusText.limit {
            claim(clean.isSame(as: text), "\(text.debugDescription) stays as it is")
        }
        if text.isOneLine, length > StatusText.limit {
            claim(clean.hasSuffix("…"), "what is cut says so")
            claim(text.utf8.starts(with: clean.utf8.dropLast(3)), "what is cut is the beginning")
        }
        let message = NotifyMessage.status(text) + .ready
        let overhead = "STATUS=\nREADY=1".utf8.count
        claim(message.bytes.count <= StatusText.limit + overhead, "\(message.bytes.count) bytes")
        ManagerReading.claimLines(["STATUS=\(clean)", "READY=1"], in: message.bytes)
    }
}
