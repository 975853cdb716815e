import DaemonKit
import HTTPListener

/// The smallest whole service.
///
/// One page, served on the sockets that the manager passed, or on ports of its own: in the clear, and over TLS
/// where there is a certificate. Ready when it answers, and gone when its last client is.
@main
struct Hello: Daemon {
    let settings = Settings(ServiceEnvironment.take())

    var supervisor: Supervisor {
        get throws {
            let identity = try settings.identity
            return Supervisor(strategy: .oneForOne) {
                Listener("http", fallback: settings.http, serving: HTTP(router))
                if let identity {
                    identity
                    Listener("https", fallback: settings.https, serving: HTTPS(router, identity: identity))
                }
                ReadyMarker()
                StatusSetter(onShutdown: "drained")
                Drainer(shutdown: .seconds(10))
                StatusSetter(onShutdown: "draining")
            }
        }
    }
}
