/// How long `GET /slow/{seconds}` waits.
struct Pause: Equatable {
    /// From nothing to an hour.
    let duration: Duration

    /// Reads seconds: decimal, such as `2` or `0.5`.
    ///
    /// - Returns: Nil for anything else, and for what is out of bounds.
    init?(_ text: String) {
        let isDecimal = text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2E }
        guard isDecimal, let seconds = Double(text), seconds <= 3600 else { return nil }
        self.duration = .seconds(seconds)
    }

    /// What a client is told whose text is none.
    static func rule(against text: String) -> String {
        "\"\(text)\" is not a number of seconds from 0 to 3600, such as 2 or 0.5.\n"
    }
}
