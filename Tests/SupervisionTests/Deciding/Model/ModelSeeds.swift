@testable import Supervision

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Which random lives a run of the model lives.
///
/// `SUPERVISION_MODEL_SEQUENCES` is how many; `SUPERVISION_MODEL_SEED` is the seed of the first, to see one again
/// that a message named. Without it each run lives others, after a few that are always the same.
enum ModelSeeds {
    /// In how many lots they are lived, so that these can be side by side.
    static let lots = 8

    private static let fixed: [UInt64] = Array(1...100)
    private static let count = number("SUPERVISION_MODEL_SEQUENCES").map { Int($0) } ?? 500
    private static let base: UInt64 = {
        let base = number("SUPERVISION_MODEL_SEED") ?? UInt64.random(in: 1_000...(.max / 2))
        print("Model: \(count) sequences from seed \(base) on (SUPERVISION_MODEL_SEED=\(base))")
        return base
    }()

    /// The seeds of one lot.
    static func lot(_ lot: Int) -> [UInt64] {
        let first = number("SUPERVISION_MODEL_SEED") == nil ? fixed : []
        let drawn = (0..<max(count - first.count, 0)).map { base &+ UInt64($0) }
        return (first + drawn).enumerated().filter { $0.offset % lots == lot }.map(\.element)
    }

    private static func number(_ name: String) -> UInt64? {
        getenv(name).flatMap { UInt64(String(cString: $0)) }
    }
}

/// One random life of a machine.
protocol RandomLife {
    /// Begins a life; it keeps its story only where somebody is going to read it.
    init(seed: UInt64, isTold: Bool)

    /// Lives until the supervisor has ended, or something is broken.
    mutating func live()

    var broken: String? { get }
    var story: [String] { get }
}

extension RandomLife {
    /// Lives all the lives of a lot.
    ///
    /// - Returns: What broke first, and how it came to that.
    static func firstFault(in lot: Int) -> String? {
        for seed in ModelSeeds.lot(lot) {
            var life = Self(seed: seed, isTold: false)
            life.live()
            guard life.broken != nil else { continue }
            var told = Self(seed: seed, isTold: true)
            told.live()
            return """
                seed \(seed) (SUPERVISION_MODEL_SEED=\(seed) SUPERVISION_MODEL_SEQUENCES=1): \
                \(told.broken ?? "not broken when told")
                \(told.story.joined(separator: "\n"))
                """
        }
        return nil
    }
}

extension SeededRandom {
    /// A number from zero to below that one.
    mutating func below(_ bound: Int) -> Int {
        Int(next() >> 33) % bound
    }

    /// True once in so many times.
    mutating func once(in times: Int) -> Bool {
        below(times) == 0
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[below(elements.count)]
    }
}
