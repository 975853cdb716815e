import DaemonKit

/// The quote of the day service: on the sockets that the manager passed, or on PORT (1717).
///
/// One socket for each protocol needs no name: a single stream socket and a single datagram socket find their
/// listeners by what they are, and so both may be of one socket unit.
///
/// With `IDLE_EXIT` it ends after so many seconds in which nobody asked, and whoever asks next starts it again.
struct Server: Daemon {
    var supervisor: Supervisor {
        get throws {
            let idle = try IdleTime(ServiceEnvironment.take().variables)
            return Supervisor(strategy: .oneForOne) {
                Listener(
                    "qotd",
                    fallback: .port(fromVariable: "PORT", default: 1717),
                    maxConnections: 1000,
                    handler: Self.answer
                )
                // An empty question gets a whole quote: who sends it in another's name makes that one's the answer. 512
                // bytes at most are little to gain by that, but the port is not for the open internet.
                DatagramListener(
                    "qotd-udp",
                    fallback: .port(fromVariable: "PORT", default: 1717),
                    maxDatagramSize: 512,
                    maxConcurrent: 64
                ) { datagram in
                    datagram.reply(Quotes.random())
                }
                ReadyMarker()
                StatusSetter(onShutdown: "drained")
                Drainer(shutdown: .seconds(10))
                StatusSetter(onShutdown: "draining")
                if let idle { IdleExit(after: idle.duration) }
            }
        }
    }

    /// One quote, and the end; what the client sends is thrown away.
    ///
    /// To close while bytes of the client's are unread would be a reset, which may overtake the quote. So the end is
    /// sent alone, and the client's waited for: for so long, and no longer.
    private static func answer(_ connection: Connection) async throws {
        try await connection.write(Quotes.random())
        connection.shutdownWrite()
        await withTaskGroup { group in
            group.addTask {
                var left = 1 << 20
                while left > 0, let count = try? await connection.read().count, count > 0 { left -= count }
            }
            // Real time, because it is a client's; it ends with the reading, and with a drain that is out of time.
            group.addTask { try? await Task.sleep(for: .seconds(5)) }
            await group.next()
            group.cancelAll()
        }
    }
}
