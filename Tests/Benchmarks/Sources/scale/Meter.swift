#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Time, processor time of all threads, and memory, for each child.
final class Meter {
    private let count: Int
    private let clock = ContinuousClock()
    private let memory: Int
    private var start: ContinuousClock.Instant
    private var processorStart: Duration

    init(_ count: Int) {
        self.count = count
        memory = residentBytes()
        start = clock.now
        processorStart = processorTime()
    }

    func begin() {
        start = clock.now
        processorStart = processorTime()
    }

    func tell(_ what: String) {
        let (time, processor) = ((clock.now - start) / count, (processorTime() - processorStart) / count)
        print("  \(what): \(time.inMicroseconds) µs each, \(processor.inMicroseconds) µs of a processor")
    }

    func tellMemory() {
        print("  memory: \((residentBytes() - memory) / count) bytes each")
    }
}

private func processorTime() -> Duration {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
}

extension Duration {
    /// To a hundredth.
    fileprivate var inMicroseconds: Double { (self / .nanoseconds(10)).rounded() / 100 }
}

/// How much memory the process has, from `/proc/self/statm`; nothing elsewhere than on Linux.
private func residentBytes() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    guard fgets(&line, CInt(line.count), file) != nil else { return 0 }
    let fields = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        .split(separator: " ")
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(getpagesize()) : 0
}
