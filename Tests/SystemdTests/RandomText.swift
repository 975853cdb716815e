/// Text that no sane manager would write: the same for the same seed.
struct RandomText {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// Up to 40 pieces, after one of some beginnings or none.
    mutating func next(startingWith beginnings: [String] = []) -> String {
        var text = ([""] + beginnings)[number(below: beginnings.count + 1)]
        for _ in 0..<number(below: 40) { text += Self.pieces[number(below: Self.pieces.count)] }
        return text
    }

    mutating func number(below bound: Int) -> Int {
        // Knuth's generator; the upper bits are the better ones.
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(bound))
    }

    private static let pieces =
        (0...127).map { String(Unicode.Scalar($0)) }
        + ["\u{85}", "\u{301}", "€", "🇨🇭", "\u{FFFD}", "\u{2028}", "%", "::", "//", "..", "==", "4294967295"]
        + (0...9).map(String.init) + ["A", "b", "=", "/", ":", "+"]
}
