import DaemonKit
import HTTPListener

/// The tree of hello among neighbours that fail all the time: what `Tests/Endurance` runs for hours.
///
/// None of them may cost a request. What happens in the tree is counted, and told at `GET /soak`.
@main
struct Soak: Daemon {
    let settings = Settings(ServiceEnvironment.take())

    var supervisor: Supervisor {
        get throws {
            let tally = Tally()
            let visitors = Visitors(settings.seed, tally)
            let http = HTTP(routes(tally, visitors, settings), configuration: settings.limits)
            let identity = try settings.identity
            let tree = Supervisor(strategy: .oneForOne) {
                Ledger(tally)
                Reloads(settings.seed, tally)
                Listener("http", serving: http)
                if let identity {
                    identity
                    Listener(
                        "https",
                        serving: HTTPS(
                            routes(tally, visitors, settings),
                            identity: identity,
                            configuration: settings.limits
                        )
                    )
                }
                // Bound by the first process, and served by all of them.
                Listener(
                    "kept",
                    fallback: .port(fromVariable: "PORT_KEPT", default: 4001),
                    keepsSocket: true,
                    serving: http
                )
                narrow(http, tally)
                visitors
                Trouble.neighbours(settings.seed, tally)
                ReadyMarker()
                StatusSetter(onShutdown: "drained")
                Drainer(shutdown: .seconds(30))
                StatusSetter(onShutdown: "draining")
            }
            tally.count(tree.events())
            return tree
        }
    }

    /// A listener that is restarted whenever what stands above it fails, and has few places.
    ///
    /// Each restart drains it: whoever is connected is answered, and the rest waits in the backlog.
    private func narrow(_ http: HTTP<HTTP1>, _ tally: Tally) -> ChildSpec {
        Supervisor("row", strategy: .restForOne, intensity: .unlimited) {
            Trouble("base", settings.seed, tally, lifetime: .milliseconds(1_500))
            Listener("narrow", maxConnections: 16, shutdown: .graceful(.seconds(30)), serving: http)
                .backoff(.constant(.milliseconds(20)))
        }.childSpec
    }
}
