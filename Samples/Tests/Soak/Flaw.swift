import NIOConcurrencyHelpers
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Something wrong with the program that a run must notice.
enum Flaw: String {
    /// Keeps a little of each request for ever.
    case memory
    /// Loses an object after some requests: for the address sanitizer.
    case objects
    /// Leaves a descriptor open after some requests.
    case descriptors
    /// Answers some requests with what is not the answer.
    case answers
    /// Ends with another status than 0.
    case status

    private static let count = Atomic(0)
    private static let kept = NIOLockedValueBox<[[UInt8]]>([])

    /// What becomes of an answer.
    func spoil(_ text: String) -> String {
        let number = Self.count.wrappingAdd(1, ordering: .relaxed).newValue
        switch self {
        case .memory:
            Self.kept.withLockedValue { $0.append([UInt8](repeating: 1, count: 4096)) }
        case .objects:
            if number % 1_000 == 0 { _ = Unmanaged.passRetained(Places(number)) }
        case .descriptors:
            if number % 1_000 == 0 { _ = dup(STDERR_FILENO) }
        case .answers:
            if number % 1_000 == 0 { return String(text.dropLast()) }
        case .status:
            atexit { _exit(3) }
        }
        return text
    }
}
