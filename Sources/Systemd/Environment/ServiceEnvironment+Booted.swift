#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension ServiceEnvironment {
    /// Whether systemd is this system's service manager, which does not say that it started this process.
    ///
    /// Asked from the file system each time: whether there is a directory `/run/systemd/system`. In a container
    /// it is the container's.
    ///
    /// - Note: Source: systemd `sd_booted`.
    public static var isSystemdBooted: Bool {
        isDirectory("/run/systemd/system")
    }

    /// A link to a directory is none.
    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
