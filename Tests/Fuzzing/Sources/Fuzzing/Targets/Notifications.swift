import SupervisionTesting

extension FuzzTarget {
    /// All of it is a datagram that the manager of a test receives.
    func attemptNotifications(_ input: Input) {
        let lines = ManagerReading.lines(input.bytes) ?? []
        let received = ReceivedNotification(bytes: input.bytes)
        let expected = lines.map { String(decoding: $0, as: UTF8.self) }
        claim(received.lines.elementsEqual(expected) { $0.isSame(as: $1) }, "\(input.bytes) is \(lines)")
        for name in ["STATUS", "READY", ""] {
            let last = lines.last { $0.starts(with: "\(name)=".utf8) }
            let value = last.map { String(decoding: $0.dropFirst(name.utf8.count + 1), as: UTF8.self) }
            claim(
                received[name].map { Array($0.utf8) } == value.map { Array($0.utf8) },
                "\(name) in \(lines)"
            )
        }
    }
}
