import CSupervision

/// Bytes in a file of memory that nobody can change any more: state for the next instance of a service.
///
/// ```swift
/// let state = try SealedMemory(bytes, name: "counters")
/// try store.put(state, named: "counters")
/// ```
///
/// Store it in a ``DescriptorStore``, or send it to another process: whoever gets the descriptor reads the same
/// bytes, as often as it likes, and can check that they will stay. The memory is free when the last descriptor
/// is closed; this object closes its own when it is released. Linux only; elsewhere making one fails with code `memoryFailed`.
///
/// - Note: Source: Linux `memfd_create`, `F_ADD_SEALS`; systemd `FDSTORE=1`, which recommends it for state.
public final class SealedMemory: Sendable {
    private let owned: OwnedDescriptor

    /// How many bytes it holds.
    public let count: Int

    /// Writes bytes to a new file in memory and seals it against writing, growing, shrinking and unsealing.
    ///
    /// - Parameters:
    ///   - bytes: What it holds from now on; may be empty.
    ///   - name: What `/proc` calls it, for a person who looks; at most 249 bytes without a NUL;
    ///     `state` by default.
    /// - Throws: ``SystemdError`` with code `memoryFailed` when the system refuses, with the `errno`.
    public init(_ bytes: [UInt8], name: String = "state") throws(SystemdError) {
        let result = csupervision_memory_create(name, bytes, bytes.count)
        guard result >= 0 else {
            throw .system(
                .memoryFailed,
                "cannot make \(bytes.count) bytes of sealed memory called \(name.quotedForMessage)",
                errno: -result
            )
        }
        owned = OwnedDescriptor(taking: result)
        count = bytes.count
    }

    /// Takes over a file that ``read(_:limit:)`` has accepted.
    init(adopting descriptor: CInt, count: Int) {
        owned = OwnedDescriptor(taking: descriptor)
        self.count = count
    }

    /// Gives the file's descriptor to some code.
    ///
    /// - Parameter body: What uses it; open until this returns, and not to be closed.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws.
    public func withDescriptor<Result, Failure>(
        _ body: (CInt) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // A number alone would not keep the object, and so the file, alive.
        defer { withExtendedLifetime(self) {} }
        return try body(owned.number)
    }

    /// Hands out a descriptor of the file.
    ///
    /// - Returns: A close-on-exec duplicate. The caller closes it.
    /// - Throws: ``SystemdError`` with code `duplicationFailed` when the system refuses, with the `errno`.
    public func duplicate() throws(SystemdError) -> CInt {
        try withDescriptor { number throws(SystemdError) in try OwnedDescriptor.duplicate(number) }
    }

    /// Reads sealed memory whole, after checking that nobody can change it meanwhile.
    ///
    /// Neither the descriptor nor its offset changes, and it stays the caller's.
    ///
    /// - Parameters:
    ///   - descriptor: What ``PassedDescriptors/take(named:as:)`` gave, of kind ``DescriptorKind/file``.
    ///   - limit: The most bytes to read, checked before memory is taken for them; 64 MiB by default.
    /// - Returns: The bytes.
    /// - Throws: ``SystemdError`` with code `notSealed` when it is another kind of file or lacks one of the
    ///   four seals, `memoryTooLarge` above the limit, and `memoryFailed` when the system cannot read it.
    public static func read(_ descriptor: CInt, limit: Int = 64 << 20) throws(SystemdError) -> [UInt8] {
        let length = try checkedLength(of: descriptor, limit: limit)
        var bytes = [UInt8](repeating: 0, count: length)
        var filled = 0
        while filled < length {
            let count = bytes.withUnsafeMutableBytes { buffer in
                csupervision_memory_read(
                    descriptor,
                    buffer.baseAddress.map { $0 + filled },
                    length - filled,
                    UInt64(filled)
                )
            }
            guard count > 0 else {
                throw .system(.memoryFailed, "cannot read descriptor \(descriptor)", errno: CInt(-count))
            }
            filled += count
        }
        return bytes
    }

    private static func checkedLength(of descriptor: CInt, limit: Int) throws(SystemdError) -> Int {
        var seals: UInt32 = 0
        var length: UInt64 = 0
        let failure = csupervision_memory_inspect(descriptor, &seals, &length)
        guard failure == 0 else {
            throw .system(
                .notSealed,
                "\(PassedDescriptor(number: descriptor)) is not a file of sealed memory",
                errno: -failure
            )
        }
        let missing = names.filter { seals & $0.seal.rawValue == 0 }.map(\.name)
        guard missing.isEmpty else {
            throw SystemdError(
                .notSealed,
                "descriptor \(descriptor) lacks \(missing.joined(separator: ", ")): its content could change while "
                    + "it is read"
            )
        }
        guard length <= max(0, limit) else {
            throw SystemdError(
                .memoryTooLarge,
                "descriptor \(descriptor) holds \(length) bytes, where at most \(max(0, limit)) are wanted"
            )
        }
        return Int(length)
    }

    private static let names: [(seal: csupervision_seal, name: String)] = [
        (CSUPERVISION_SEAL_WRITE, "F_SEAL_WRITE"), (CSUPERVISION_SEAL_SHRINK, "F_SEAL_SHRINK"),
        (CSUPERVISION_SEAL_GROW, "F_SEAL_GROW"), (CSUPERVISION_SEAL_SEAL, "F_SEAL_SEAL"),
    ]
}
