import Systemd

extension FuzzTarget {
    /// The first byte is a priority, the rest a text.
    func attemptLines(_ input: Input) {
        let priority = JournalPriority.allCases[Int(input.bytes.first ?? 0) % 8]
        let text = Input(input.bytes.dropFirst()).text
        let bytes = Array(priority.prefixed(text).utf8)
        let breaks: Set<UInt8> = [0, 0x0A, 0x0D]
        var content: [UInt8] = []
        for line in bytes.split(separator: 0x0A, omittingEmptySubsequences: bytes.isEmpty) {
            claim(
                line.starts(with: priority.prefix.utf8),
                "each line has the priority: \(text.debugDescription)"
            )
            claim(line.count > 3 && line.count < 48 * 1024, "a line has something in it, and not too much")
            content += line.dropFirst(3)
        }
        claim(
            content == text.utf8.filter { !breaks.contains($0) },
            "nothing is lost: \(text.debugDescription)"
        )
    }
}
