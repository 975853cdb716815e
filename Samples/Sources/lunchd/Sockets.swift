import DaemonKit

/// The sockets that were passed, as far as they matter.
struct Sockets {
    let servesHTTP: Bool
    let servesHTTPS: Bool

    /// For the log: the two variables as the manager set them, and what follows from none.
    let description: [String]

    /// - Throws: ``Options/Problem`` where sockets were passed, and none has a name that is served.
    init(_ environment: ServiceEnvironment) throws {
        let names = environment.descriptors.map(\.name)
        servesHTTP = names.contains("http")
        servesHTTPS = names.contains("https") || names.isEmpty
        let variables = ["LISTEN_FDS", "LISTEN_FDNAMES"].map { name in
            "\(name)=\((environment.variables[name] ?? "").debugDescription)"
        }
        let fallback = names.isEmpty ? ["no socket was passed: serving https on port 8443"] : []
        description = [variables.joined(separator: " ")] + fallback
        guard servesHTTP || servesHTTPS else {
            throw Options.Problem(
                "none of the passed sockets is called http or https (FileDescriptorName=); their names: "
                    + names.map(\.debugDescription).joined(separator: ", ")
            )
        }
    }
}
