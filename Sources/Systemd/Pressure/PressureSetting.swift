/// What the manager says of a resource: a source, or that it is not to be watched.
enum PressureSetting: Sendable, Hashable {
    case disabled
    case source(PressureSource)
}

extension EnvironmentReader {
    /// Reads `MEMORY_PRESSURE_WATCH` and `MEMORY_PRESSURE_WRITE`, and the same for the others.
    ///
    /// What is malformed is as if it were not there.
    mutating func pressureSettings() -> [PressureResource: PressureSetting] {
        var settings: [PressureResource: PressureSetting] = [:]
        for resource in PressureResource.allCases { settings[resource] = pressureSetting(resource) }
        return settings
    }

    private mutating func pressureSetting(_ resource: PressureResource) -> PressureSetting? {
        guard let path = text(resource.watchVariable) else { return nil }
        if path == "/dev/null" { return .disabled }
        var registration: [UInt8] = []
        if let value = text(resource.writeVariable) {
            guard let bytes = Base64.decode(value) else {
                report(
                    resource.writeVariable,
                    "is not Base64",
                    "groups of four of A-Z a-z 0-9 + / and = at the end"
                )
                return nil
            }
            registration = bytes
        }
        do {
            return .source(try PressureSource(resource, path: path, registration: registration))
        } catch {
            report(resource.watchVariable, "is not usable", "an absolute path, or /dev/null for none")
            return nil
        }
    }
}
