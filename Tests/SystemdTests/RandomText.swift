/// Text that nobody would write, the same in every run of a test.
struct RandomText: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    // xorshift64*
    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }

    /// Mostly what a parser looks for, and now and then any character at all.
    mutating func text() -> String {
        var scalars = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...24, using: &self) {
            let isTelling = Int.random(in: 0..<4, using: &self) > 0
            let telling = Self.telling.randomElement(using: &self)
            let any = Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &self))
            if let scalar = isTelling ? telling : any { scalars.append(scalar) }
        }
        return String(scalars)
    }

    /// The same, after one of some beginnings or none.
    mutating func text(after beginnings: [String]) -> String {
        let index = Int.random(in: 0...beginnings.count, using: &self)
        return (index < beginnings.count ? beginnings[index] : "") + text()
    }

    private static let telling = Array(
        "/:.-_=@,;<> \n\r\t\0\\\"0123456789aAfFxXzZ%é\u{301}\u{2028}😀".unicodeScalars
    )
}
