/// Text that nobody in his senses would write, the same for the same seed.
struct RandomText: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    // SplitMix64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// After one of some beginnings or none: mostly what a parser looks for, and now and then anything at all.
    mutating func text(startingWith beginnings: [String] = []) -> String {
        var text = ([""] + beginnings).randomElement(using: &self) ?? ""
        for _ in 0..<Int.random(in: 0...40, using: &self) {
            let isTelling = Int.random(in: 0..<4, using: &self) > 0
            let any = Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &self)).map(String.init)
            text += (isTelling ? Self.telling.randomElement(using: &self) : any) ?? ""
        }
        return text
    }

    private static let telling =
        (0...127).map { String(Unicode.Scalar($0)) } + (0...9).map(String.init)
        + ["A", "b", "=", "/", ":", "+", "::", "//", "..", "==", "%", "4294967295"]
        + ["\u{85}", "\u{301}", "\u{2028}", "\u{FFFD}", "€", "é", "😀", "🇨🇭"]
}
