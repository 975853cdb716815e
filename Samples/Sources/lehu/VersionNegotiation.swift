/// QUIC's way to say that no version in common is known (RFC 9000, sections 6 and 17.2.1).
///
/// Only what holds for all versions of QUIC is looked at (RFC 8999). A client that gets one of these packets knows
/// that it has reached a server which will not talk to it, and falls back to TCP at once, rather than after a timeout.
enum VersionNegotiation {
    /// What the first datagram of a client has at least, in every version that there is: what is shorter is none, and
    /// an answer to it could be longer than the question.
    static let shortestFirstDatagram = 1200

    /// The packet to answer a datagram with.
    ///
    /// - Parameter datagram: What a client sent; anything at all.
    /// - Returns: Nil where it is not the begin of a connection: short, or with a short header, or a Version
    ///   Negotiation packet itself, which must never be answered.
    static func response(to datagram: [UInt8]) -> [UInt8]? {
        var generator = SystemRandomNumberGenerator()
        return response(to: datagram, using: &generator)
    }

    static func response(
        to datagram: [UInt8],
        using generator: inout some RandomNumberGenerator
    ) -> [UInt8]? {
        guard datagram.count >= shortestFirstDatagram, let header = LongHeader(datagram), header.version != 0
        else { return nil }
        // All but the header's form is arbitrary; the next bit is set, to be told from other protocols on the port.
        var packet = [0xC0 | UInt8.random(in: 0...0x3F, using: &generator)]
        packet += [0, 0, 0, 0]
        // The client finds its own id where it looks for the destination.
        packet.append(UInt8(header.source.count))
        packet += header.source
        packet.append(UInt8(header.destination.count))
        packet += header.destination
        let reserved = reservedVersion(otherThan: header.version, using: &generator)
        packet += (0..<4).reversed().map { UInt8(truncatingIfNeeded: reserved >> ($0 * 8)) }
        return packet
    }

    /// A version that no one speaks, of the form 0x?a?a?a?a: the list must not be empty.
    ///
    /// Never the client's own: it would take no notice of the packet.
    private static func reservedVersion(
        otherThan version: UInt32,
        using generator: inout some RandomNumberGenerator
    ) -> UInt32 {
        let reserved = UInt32.random(in: 0...(.max), using: &generator) & 0xF0F0_F0F0 | 0x0A0A_0A0A
        return reserved == version ? reserved ^ 0xF000_0000 : reserved
    }
}
