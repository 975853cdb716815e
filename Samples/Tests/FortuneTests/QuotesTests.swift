import Testing

@testable import fortune

@Suite("fortune's quotes")
struct QuotesTests {
    @Test(
        "each is one line of printable ASCII, and with its end shorter than 512 characters",
        arguments: Quotes.all
    )
    func quote(text: String) {
        #expect((1..<510).contains(text.utf8.count))
        #expect(text.utf8.allSatisfy { (0x20...0x7E).contains($0) })
    }

    @Test("none is there twice, and each can be drawn")
    func drawn() {
        #expect(Set(Quotes.all).count == Quotes.all.count)
        struct Counter: RandomNumberGenerator {
            var state: UInt64 = 0
            mutating func next() -> UInt64 {
                // By the golden ratio, so that a few hundred fall everywhere.
                state &+= 0x9E37_79B9_7F4A_7C15
                return state
            }
        }
        var counter = Counter()
        let drawn = Set((0..<1000).map { _ in Quotes.random(using: &counter) })
        #expect(drawn == Set(Quotes.all.map { $0 + "\r\n" }))
    }
}

@Suite("The idle time of fortune serve")
struct IdleTimeTests {
    @Test("it is a number of seconds, or not set", arguments: [nil, "", "1", "300", "31536000"])
    func valid(text: String?) throws {
        let time = try IdleTime(text.map { ["IDLE_EXIT": $0] } ?? [:])
        #expect(time?.duration == text.flatMap { Int64($0) }.map { .seconds($0) })
    }

    @Test(
        "anything else is an error that names it",
        arguments: ["0", "-1", "+1", "1.5", "soon", "31536001", " 1"]
    )
    func invalid(text: String) {
        #expect {
            try IdleTime(["IDLE_EXIT": text])
        } throws: { error in
            "\(error)".contains("IDLE_EXIT is \(text.debugDescription)")
        }
    }
}
