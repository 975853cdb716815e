import DaemonKit
import HTTPListener
import NIOCore

/// What the environment says.
struct Settings {
    private let environment: ServiceEnvironment

    init(_ environment: ServiceEnvironment) {
        self.environment = environment
    }

    /// What the neighbours' failures follow from (`SOAK_SEED`): the same numbers give the same failures.
    var seed: UInt64 { environment.variables["SOAK_SEED"].flatMap(UInt64.init) ?? 1 }

    /// What is wrong on purpose (`SOAK_FLAW`), to prove that a run notices it.
    var flaw: Flaw? { environment.variables["SOAK_FLAW"].flatMap(Flaw.init) }

    /// What clients are given: little enough that a run sees each of them cut.
    var limits: HTTPConfiguration {
        var limits = HTTPConfiguration()
        limits.handshakeTimeout = .seconds(5)
        limits.headTimeout = .seconds(5)
        limits.idleTimeout = .seconds(8)
        limits.writeTimeout = .seconds(3)
        // A client that is late for this was kept from sending for longer than a busy machine does that.
        limits.drainGrace = .seconds(2)
        return limits
    }

    /// What is shown over TLS; nil where there is no socket for it.
    var identity: TLSIdentity? {
        get throws {
            guard environment.descriptors.contains(where: { $0.name == "https" }) else { return nil }
            guard let identity = try TLSIdentity.named("soak", in: environment) else {
                throw TLSIdentity.missing("soak", because: "a socket \"https\" was passed")
            }
            return identity
        }
    }
}
