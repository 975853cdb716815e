import DaemonKit
import HTTPListener

/// A web server on three sockets, which the manager passes: `http`, `https` and `quic`, in any order.
///
/// It is passed all three or none. Without any, as when it is started by hand, it serves ports that need no
/// privileges: PORT_HTTP (8080), PORT_HTTPS and PORT_QUIC (8443 each); what is passed to another process is left
/// alone. HTTP/3 it does not speak: QUIC's first packets are answered so that clients fall back to TCP at once.
@main
struct Lehu: Daemon {
    var supervisor: Supervisor {
        get throws {
            let environment = ServiceEnvironment.take()
            let sockets = try Sockets(environment)
            guard let identity = try TLSIdentity.named("lehu", in: environment) else {
                throw TLSIdentity.missing("lehu", because: "https is to be served")
            }
            return Supervisor(strategy: .oneForOne) {
                identity
                Listener("http", fallback: sockets.fallback("PORT_HTTP", 8080), serving: HTTP(router))
                Listener(
                    "https",
                    fallback: sockets.fallback("PORT_HTTPS", 8443),
                    serving: HTTPS(router, identity: identity)
                )
                DatagramListener("quic", fallback: sockets.fallback("PORT_QUIC", 8443), maxDatagramSize: 2048)
                {
                    datagram in
                    if let packet = VersionNegotiation.response(to: datagram.bytes) { datagram.reply(packet) }
                }
                ReadyMarker()
                StatusSetter(onShutdown: "drained")
                Drainer(shutdown: .seconds(10))
                StatusSetter(onShutdown: "draining")
            }
        }
    }
}
