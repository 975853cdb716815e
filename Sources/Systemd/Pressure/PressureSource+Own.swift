#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension ServiceEnvironment {
    /// Where to hear that a resource is short.
    ///
    /// What the manager names, if it names anything. Else the pressure file of this process's own control
    /// group, or that of the whole system (`/proc/pressure`), whichever is there and may be written, with the
    /// ``PressureSource/defaultRegistration``: this looks at the real files, whatever the variables were made
    /// of.
    ///
    /// - Parameter resource: What may be short.
    /// - Returns: The source; `nil` when the manager wants none watched (`/dev/null`), and where the system has
    ///   no such files.
    public func pressureSource(for resource: PressureResource) -> PressureSource? {
        switch pressureSettings[resource] {
        case .disabled: nil
        case .source(let source): source
        case nil: PressureSource.ownSource(for: resource)
        }
    }
}

extension PressureSource {
    static func ownSource(for resource: PressureResource) -> PressureSource? {
        for path in paths(for: resource, cgroups: ownCgroups()) where access(path, R_OK | W_OK) == 0 {
            return try? PressureSource(resource, path: path)
        }
        return nil
    }

    /// The files to try in turn, for a process with the given `/proc/self/cgroup`.
    static func paths(for resource: PressureResource, cgroups: String) -> [String] {
        let system = "/proc/pressure/\(resource.rawValue)"
        // The line of the unified hierarchy; the others have no pressure files.
        // By bytes, for a character may be a slash and an accent.
        let lines = cgroups.utf8.split(separator: UInt8(ascii: "\n"))
        guard let line = lines.first(where: { $0.starts(with: "0::/".utf8) }) else { return [system] }
        let names = line.dropFirst("0::".utf8.count).split(separator: UInt8(ascii: "/"))
        // Outside the namespace's root the path climbs, and not to where the hierarchy is mounted.
        guard !names.contains(where: { $0.elementsEqual("..".utf8) }) else { return [system] }
        let group = names.map { "/" + String(Substring($0)) }.joined()
        let file = "\(group)/\(resource.rawValue).pressure"
        return ["/sys/fs/cgroup\(file)", "/sys/fs/cgroup/unified\(file)", system]
    }

    private static func ownCgroups() -> String {
        let descriptor = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { closeDescriptor(descriptor) }
        // A handful of lines, of which none is longer than a path.
        var bytes = [UInt8](repeating: 0, count: 65_536)
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes {
                read(descriptor, $0.baseAddress.map { $0 + filled }, $0.count - filled)
            }
            guard count > 0 else { break }
            filled += count
        }
        return String(decoding: bytes.prefix(filled), as: UTF8.self)
    }
}
