/// What a service can run short of, as the kernel's pressure stall information tells.
public enum PressureResource: String, Sendable, Hashable, CaseIterable {
    /// Memory (`MEMORY_PRESSURE_WATCH`, since systemd 254): tasks wait for pages.
    case memory
    /// Processor time (`CPU_PRESSURE_WATCH`, since systemd 261).
    case cpu
    /// Input and output (`IO_PRESSURE_WATCH`, since systemd 261).
    case io

    var watchVariable: String { "\(rawValue.uppercased())_PRESSURE_WATCH" }
    var writeVariable: String { "\(rawValue.uppercased())_PRESSURE_WRITE" }
}
