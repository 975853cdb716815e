import DaemonKit
import HTTPListener

/// The smallest whole service.
///
/// One page, served on the socket that the manager passed, or on PORT (4000); ready when it answers, and gone when
/// its last client is.
@main
struct Hello: Daemon {
    var supervisor: Supervisor {
        Supervisor(strategy: .oneForOne) {
            Listener("http", fallback: .port(fromVariable: "PORT", default: 4000), serving: HTTP(router))
            ReadyMarker()
            StatusSetter(onShutdown: "drained")
            Drainer(shutdown: .seconds(10))
            StatusSetter(onShutdown: "draining")
        }
    }
}
