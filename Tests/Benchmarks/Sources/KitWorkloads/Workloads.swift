public import Measuring
import Supervision

/// What the kit is asked to do, by name.
public let workloads: [String: Contender.Workload] = [
    "static": statically,
    "dynamic": dynamically,
    "restart": restart,
    "one-for-all": { try await together(.oneForAll, $0, $1) },
    "rest-for-one": { try await together(.restForOne, $0, $1) },
    "nested": nested,
    "manage-1": { try await manage(callers: 1, $0, $1) },
    "manage-8": { try await manage(callers: 8, $0, $1) },
    "events-0": { try await restart(readers: 0, $0, $1) },
    "events-1": { try await restart(readers: 1, $0, $1) },
    "notify": notify,
]
