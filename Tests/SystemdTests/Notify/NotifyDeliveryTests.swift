import Glibc
import Testing

@testable import Systemd

/// Over Unix sockets: what differs with `AF_VSOCK` is the address alone.
@Suite("NotifyDelivery")
struct NotifyDeliveryTests {
    private func pair(_ type: __socket_type) throws -> (own: OwnedDescriptor, manager: CInt) {
        let (own, manager) = try TestSocket.pair(type)
        for end in [own, manager] { try #require(fcntl(end, F_SETFL, O_NONBLOCK) == 0) }
        return (OwnedDescriptor(taking: own), manager)
    }

    private func read(_ descriptor: CInt) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 8192)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count < 0 ? nil : Array(buffer[..<count])
    }

    /// Closes it at once, also where a process that another test starts has inherited it for a moment.
    private func hangUp(_ descriptor: CInt) {
        shutdown(descriptor, CInt(SHUT_RDWR))
        close(descriptor)
    }

    @Test(
        "a message is the whole of a connection, and done when the manager closes its side",
        arguments: [SOCK_STREAM.rawValue, SOCK_SEQPACKET.rawValue]
    )
    func whole(type: UInt32) throws {
        let (own, manager) = try pair(__socket_type(type))
        var delivery = NotifyDelivery(Array("READY=1".utf8), over: own)
        #expect(delivery.event == .writable(own.number))
        #expect(delivery.advance() == .waits)
        #expect(delivery.event == .readable(own.number))
        #expect(read(manager) == Array("READY=1".utf8))
        // The end of the message.
        #expect(read(manager) == [])
        #expect(delivery.advance() == .waits)
        hangUp(manager)
        #expect(delivery.advance() == .done)
    }

    @Test("a manager that reads slowly gets it piece by piece")
    func pieces() throws {
        let (own, manager) = try pair(SOCK_STREAM)
        defer { close(manager) }
        var size: CInt = 1
        try #require(
            setsockopt(own.number, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<CInt>.size)) == 0
        )
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 % 251) }
        var delivery = NotifyDelivery(bytes, over: own)
        var arrived: [UInt8] = []
        var waits = 0
        while true {
            try #require(delivery.advance() == .waits)
            waits += 1
            var ended = false
            while let part = read(manager) {
                if part.isEmpty {
                    ended = true
                    break
                }
                arrived += part
            }
            if ended { break }
            // Else no end will come.
            try #require(delivery.event == .writable(own.number))
        }
        #expect(arrived == bytes)
        #expect(waits > 1)
        #expect(delivery.event == .readable(own.number))
    }

    @Test("a manager that is gone, and one that answers, fail it")
    func failures() throws {
        let (own, manager) = try pair(SOCK_STREAM)
        hangUp(manager)
        var delivery = NotifyDelivery([1], over: own)
        #expect(delivery.advance() == .failed(EPIPE))

        let (second, talkative) = try pair(SOCK_STREAM)
        defer { close(talkative) }
        try #require(write(talkative, "x", 1) == 1)
        var other = NotifyDelivery([1], over: second)
        #expect(other.advance() == .failed(EPROTO))
    }

    @Test("what is under way neither gives its place up nor moves")
    func underWay() throws {
        var queue = NotifyQueue(capacity: 2)
        var taken = [queue.append(.status("a"))]
        queue.keepFirst()
        taken += [queue.append(.status("b")), queue.append(.status("c")), queue.append(.ready)]
        #expect(taken == [true, true, true, true])
        #expect(queue.entries.map { String(decoding: $0.bytes, as: UTF8.self) } == ["STATUS=a", "READY=1"])
        queue.removeFirst()
        taken = [queue.append(.stopping), queue.append(.status("d"))]
        #expect(taken == [true, false])
    }
}
