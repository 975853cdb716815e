import Testing

@testable import lehu

@Suite("Version Negotiation")
struct VersionNegotiationTests {
    /// The first datagram of a client.
    private func first(
        version: UInt32 = 1,
        destination: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8],
        source: [UInt8] = [9, 10, 11],
        form: UInt8 = 0xC3,
        size: Int = 1200
    ) -> [UInt8] {
        var packet = [form]
        packet += (0..<4).reversed().map { UInt8(truncatingIfNeeded: version >> ($0 * 8)) }
        packet += [UInt8(destination.count)] + destination + [UInt8(source.count)] + source
        return packet + [UInt8](repeating: 0x5A, count: max(0, size - packet.count))
    }

    @Test("the answer swaps the connection ids and lists one reserved version")
    func answer() throws {
        let packet = try #require(VersionNegotiation.response(to: first()))
        #expect(packet[0] & 0xC0 == 0xC0)
        #expect(Array(packet[1..<5]) == [0, 0, 0, 0])
        #expect(Array(packet[5..<9]) == [3, 9, 10, 11])
        #expect(Array(packet[9..<18]) == [8, 1, 2, 3, 4, 5, 6, 7, 8])
        #expect(packet.count == 22)
        #expect(packet[18...].allSatisfy { $0 & 0x0F == 0x0A })
    }

    @Test("the bits that are unused are arbitrary, and so is the version")
    func arbitrary() throws {
        let packets = try (0..<200).map { _ in try #require(VersionNegotiation.response(to: first())) }
        #expect(Set(packets.map { $0[0] }).count > 10)
        #expect(Set(packets.map { Array($0.suffix(4)) }).count > 100)
    }

    @Test(
        "connection ids of every length are taken, up to 255 bytes",
        arguments: [(0, 0), (20, 0), (0, 20), (20, 20), (21, 255), (255, 21), (255, 255)]
    )
    func lengths(destination: Int, source: Int) throws {
        let datagram = first(
            destination: [UInt8](repeating: 0xD0, count: destination),
            source: [UInt8](repeating: 0x50, count: source)
        )
        let packet = try #require(VersionNegotiation.response(to: datagram))
        let header = try #require(LongHeader(packet))
        #expect(header.version == 0)
        #expect(header.destination == [UInt8](repeating: 0x50, count: source))
        #expect(header.source == [UInt8](repeating: 0xD0, count: destination))
        #expect(packet.count == 11 + destination + source)
        #expect(packet.count < datagram.count, "an answer is never longer than the question")
    }

    @Test(
        "only what is long enough to be a client's first datagram is answered",
        arguments: [(1199, false), (1200, true)]
    )
    func size(size: Int, isAnswered: Bool) {
        #expect((VersionNegotiation.response(to: first(size: size)) != nil) == isAnswered)
    }

    @Test("a Version Negotiation packet is not answered, nor one with a short header")
    func neverAnswered() {
        #expect(VersionNegotiation.response(to: first(version: 0)) == nil)
        #expect(VersionNegotiation.response(to: first(form: 0x43)) == nil)
        #expect(VersionNegotiation.response(to: first(form: 0x7F)) == nil)
        #expect(VersionNegotiation.response(to: []) == nil)
    }

    @Test(
        "every version is answered: 1, 2, drafts, reserved ones",
        arguments: [1, 0x6B33_43CF, 0xFF00_001D, 0x1A2A_3A4A, .max] as [UInt32]
    )
    func versions(version: UInt32) {
        #expect(VersionNegotiation.response(to: first(version: version)) != nil)
    }

    @Test("the bit that is fixed in version 1 may be anything in others")
    func fixedBit() {
        #expect(VersionNegotiation.response(to: first(form: 0x80)) != nil)
    }

    @Test("the client's own version is never listed, though it be reserved")
    func ownVersion() throws {
        struct Zeros: RandomNumberGenerator {
            mutating func next() -> UInt64 { 0 }
        }
        var zeros = Zeros()
        let other = try #require(VersionNegotiation.response(to: first(version: 1), using: &zeros))
        #expect(Array(other.suffix(4)) == [0x0A, 0x0A, 0x0A, 0x0A])
        let own = try #require(VersionNegotiation.response(to: first(version: 0x0A0A_0A0A), using: &zeros))
        #expect(Array(own.suffix(4)) == [0xFA, 0x0A, 0x0A, 0x0A])
    }

    @Test("an id that goes beyond the datagram's end is no header")
    func beyond() {
        let packet = first(destination: [UInt8](repeating: 1, count: 20), source: [2], size: 0)
        for length in 0..<packet.count { #expect(LongHeader(Array(packet.prefix(length))) == nil) }
        #expect(LongHeader(packet) != nil)
    }

    @Test("whatever comes, there is no trap; what is answered keeps to the rules")
    func anything() throws {
        // Bytes from another seed in each run, which a failure tells.
        let seed = UInt64.random(in: 0...(.max))
        var generator = Sequence(state: seed)
        var answered = 0
        for round in 0..<2000 {
            var datagram: [UInt8] = []
            let count = Int.random(in: 0...1300, using: &generator)
            while datagram.count < count {
                withUnsafeBytes(of: generator.next()) { datagram += $0 }
            }
            // Half of them look like more.
            if round % 2 == 0, !datagram.isEmpty {
                datagram[0] |= 0x80
                if datagram.count < 1200 { datagram += [UInt8](repeating: 0, count: 1200 - datagram.count) }
            }
            guard let packet = VersionNegotiation.response(to: datagram, using: &generator) else { continue }
            answered += 1
            let asked = try #require(LongHeader(datagram), "seed \(seed)")
            let header = try #require(LongHeader(packet), "seed \(seed)")
            let listed = packet.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            #expect(
                datagram.count >= 1200 && asked.version != 0 && header.version == 0
                    && header.destination == asked.source && header.source == asked.destination
                    && packet.count == 11 + header.destination.count + header.source.count
                    && listed & 0x0F0F_0F0F == 0x0A0A_0A0A && listed != asked.version,
                "seed \(seed)"
            )
        }
        #expect(answered > 500, "seed \(seed)")
    }

    /// Numbers that look random and follow from the first (SplitMix64).
    private struct Sequence: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }
}
