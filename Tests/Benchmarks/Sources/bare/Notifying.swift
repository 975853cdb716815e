import Measuring

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the kernel takes for the same messages.
@Sendable func notify(_ count: Int, _ meter: Meter) async throws {
    let socket = try NotifySocket()
    let descriptor = try socket.connected()
    defer { close(descriptor) }
    for (name, text) in [
        ("ready", "READY=1"), ("status", "STATUS=serving 12 connections"), ("watchdog", "WATCHDOG=1"),
    ] {
        let bytes = Array(text.utf8)
        for _ in 0..<max(1, count / NotifySocket.room) {
            var sent = 0
            meter.begin()
            for _ in 0..<NotifySocket.room where send(descriptor, bytes, bytes.count, 0) == bytes.count {
                sent += 1
            }
            meter.end(name, each: NotifySocket.room)
            guard sent == NotifySocket.room else { throw Wrong("\(sent) of \(NotifySocket.room) were sent") }
            try socket.expect(sent, bytes)
        }
    }
}
