import DaemonKit
import HTTPListener

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Tells what there is for lunch, over TLS; sends those there who ask in the clear.
///
/// Every socket called `http` or `https` is served, others are not touched. Without any socket it is https on port
/// 8443, so that it runs without a manager. A server that fails ends the process: what starts it again is the
/// manager.
@main
struct Lunchd: Daemon {
    private let environment = ServiceEnvironment.take()
    private let options: Options

    static func main() {
        // Before anything else is started: it changes the process's environment.
        _ = ServiceEnvironment.take()
        do {
            Lunchd(try Options(CommandLine.arguments.dropFirst())).launch()
        } catch {
            writeLine("lunchd: \(error)\n\(Options.usage)")
            exit(EX_USAGE)
        }
    }

    init() {
        options = Options()
    }

    init(_ options: Options) {
        self.options = options
    }

    var supervisor: Supervisor {
        get throws {
            let sockets = try Sockets(environment)
            for line in sockets.description { writeLine(line) }
            let identity = sockets.servesHTTPS ? try options.identity : nil
            return Supervisor(strategy: .oneForOne, intensity: .init(maxRestarts: 0, within: .seconds(1))) {
                if sockets.servesHTTP {
                    Listener("http", serving: HTTP(responder: redirect))
                }
                if let identity {
                    identity
                    Listener(
                        "https",
                        fallback: .port(8443),
                        serving: HTTPS(responder: menu, identity: identity)
                    )
                }
                ReadyMarker()
                StatusSetter(onShutdown: "drained")
                Drainer(shutdown: .seconds(10))
                StatusSetter(onShutdown: "draining")
            }
        }
    }
}

/// Writes to standard error, which is where the manager has the log.
private func writeLine(_ text: String) {
    let bytes = Array("\(text)\n".utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
}
