/// Random numbers that follow from a seed and a name: SplitMix64.
struct Chance: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64, _ name: String, _ number: Int) {
        // FNV-1a: the hash of a string is another in each process.
        let bytes = Array(name.utf8) + withUnsafeBytes(of: number.littleEndian, Array.init)
        state = bytes.reduce(seed ^ 0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// True that often.
    mutating func happens(_ probability: Double) -> Bool {
        Double.random(in: 0..<1, using: &self) < probability
    }

    /// Something around that long: from nothing to twice as much.
    mutating func about(_ duration: Duration) -> Duration {
        duration * Double.random(in: 0..<2, using: &self)
    }
}
