import Measuring
import Systemd

/// Messages to a manager that reads them, each of which must arrive.
///
/// A few are sent, which is measured, and then read, which is not.
func notify(_ count: Int, _ meter: Meter) async throws {
    let socket = try NotifySocket()
    let notifier = Notifier(address: try NotifyAddress(socket.path))
    let messages: [(name: String, make: () -> NotifyMessage)] = [
        ("ready", { .ready }),
        ("status", { .status("serving 12 connections") }),
        ("watchdog", { .watchdog }),
    ]
    for (name, make) in messages {
        let bytes = make().bytes
        for _ in 0..<max(1, count / NotifySocket.room) {
            var sent = 0
            meter.begin()
            for _ in 0..<NotifySocket.room where notifier.send(make()) == .sent { sent += 1 }
            meter.end(name, each: NotifySocket.room)
            guard sent == NotifySocket.room else { throw Wrong("\(sent) of \(NotifySocket.room) were sent") }
            try socket.expect(sent, bytes)
        }
    }
}
